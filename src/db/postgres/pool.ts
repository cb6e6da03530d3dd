import { Pool as Connections, type Client as Connection, type PoolClient } from 'pg'

import { limits } from '../../config/limits.ts'
import { connectionFailureOf, unanswered } from './failures.ts'
import { PooledClient } from './pooled-client.ts'
import { types } from './types.ts'

export interface PoolOptions {
  maxConnections: number
  readOnly?: boolean
  /** 0 for none. */
  statementMs?: number
}

/** Connections to one database, whose failures are what callers are to see (`failureOf`). */
export class Pool {
  readonly #pool: Connections
  readonly #clients = new WeakMap<PoolClient, PooledClient>()
  /** Those that exist, in use or not. */
  readonly #connections = new Set<Connection>()
  #isSilent = false

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
      // PostgreSQL ends a statement itself, unless it, or the network, has stopped.
      ...(statementMs > 0 && { query_timeout: statementMs + limits.databaseConnectMs }),
      // The pool waits for what this returns before the connection is used.
      onConnect: (client) =>
        this.#prepare(client as Connection, settingsOf({ readOnly, statementMs })) as unknown as void,
    })
    // A connection that is lost fails its query, and is replaced when the next one is needed.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** Refuses all work at once while the database is silent, and ends what waits for an answer. */
  set isSilent(isSilent: boolean) {
    this.#isSilent = isSilent
    if (isSilent) for (const { connection } of this.#connections) connection.stream.destroy()
  }

  async connect(): Promise<PooledClient> {
    if (this.#isSilent) throw unanswered()
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw connectionFailureOf(error)
    })
    let known = this.#clients.get(client)
    if (!known) this.#clients.set(client, (known = new PooledClient(client)))
    return known
  }

  /** Runs work on a connection, which must be as it was when the work ends. */
  async use<T>(work: (client: PooledClient) => Promise<T>): Promise<T> {
    const client = await this.connect()
    try {
      return await work(client)
    } finally {
      client.release()
    }
  }

  end(): Promise<void> {
    return this.#pool.end()
  }

  async #prepare(connection: Connection, settings: string): Promise<void> {
    this.#connections.add(connection)
    connection.once('end', () => this.#connections.delete(connection))
    await connection.query(settings)
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
