import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { Pool as Connections, type ClientBase, type PoolClient } from 'pg'
import { limits } from '../../config/limits.ts'
import { failureOf } from './failures.ts'
import { types } from './types.ts'

export interface PoolOptions {
  maxConnections: number
  readOnly?: boolean
  /** 0 for none. */
  statementMs?: number
}

/** Connections to one database, whose failures are what callers are to see (`failureOf`). */
export class Pool implements PostgresPool {
  readonly #pool: Connections
  readonly #clients = new WeakMap<PoolClient, PostgresPoolClient>()

  constructor(
    url: string,
    { maxConnections, readOnly = false, statementMs = limits.databaseStatementMs }: PoolOptions,
  ) {
    this.#pool = new Connections({
      connectionString: url,
      application_name: 'carrel',
      max: maxConnections,
      connectionTimeoutMillis: limits.databaseConnectMs,
      keepAlive: true,
      types,
      // The pool waits for what this returns before the connection is used.
      onConnect: ((client) => client.query(settingsOf({ readOnly, statementMs }))) as (client: ClientBase) => void,
    })
    // A connection that is lost fails its query, and is replaced when the next one is needed.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw failureOf(error)
    })
    let known = this.#clients.get(client)
    if (!known) this.#clients.set(client, (known = new Client(client)))
    return known
  }

  /** Runs work on a connection, which must be as it was when the work ends. */
  async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined
    try {
      client = await this.#pool.connect()
      return await work(client)
    } catch (error) {
      throw failureOf(error)
    } finally {
      client?.release()
    }
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

class Client implements PostgresPoolClient {
  readonly #client: PoolClient
  #isBroken = false

  constructor(client: PoolClient) {
    this.#client = client
    client.once('error', () => {
      this.#isBroken = true
    })
  }

  // Kysely's interface has an overload for cursors, which nothing here uses.
  // eslint-disable-next-line typescript/no-explicit-any
  query(sql: any, parameters?: readonly unknown[]): any {
    return this.#client.query(sql as string, parameters as unknown[]).catch((error: unknown) => {
      throw failureOf(error)
    })
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

function settingsOf({ readOnly, statementMs }: { readOnly: boolean; statementMs: number }): string {
  return [
    `set statement_timeout = ${statementMs}`,
    `set lock_timeout = ${limits.databaseLockMs}`,
    // A server that hangs in a transaction must not hold up the others.
    `set idle_in_transaction_session_timeout = ${limits.databaseLockMs}`,
    // Compiling a query takes a tenth of a second, and is done for every query that PostgreSQL takes for an expensive one:
    // also for one without an index, where `enable_seqscan` is off.
    'set jit = off',
    // A serializable transaction that reads a whole table conflicts with all that write to it. Each query has its index.
    readOnly ? 'set default_transaction_read_only = on' : 'set enable_seqscan = off',
  ].join('; ')
}
