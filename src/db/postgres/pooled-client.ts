import type { PostgresPoolClient } from 'kysely'
import type { PoolClient, QueryConfig } from 'pg'
import { DatabaseFailure } from '../../database-failure.ts'
import { endsConnection, failureOf } from './failures.ts'

/**
 * A connection of the pool, whose failures are what callers are to see. One that was lost is not used again, and neither
 * is one that leads to a read-only server: the next connection may lead to another one.
 */
export class PooledClient implements PostgresPoolClient {
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
  query(statement: any, parameters: readonly unknown[] = []): any {
    // PostgreSQL has rolled back already, and the failure that led here is the one to report.
    if (statement === 'rollback' && this.#isBroken) return Promise.resolve({ rows: [] })
    return this.#client.query(statement as string | QueryConfig, parameters.map(storable)).catch((error: unknown) => {
      const failure = failureOf(error)
      this.#isBroken ||= endsConnection(failure)
      throw statement === 'commit' && this.#isBroken ? unknownOutcome(error) : failure
    })
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

/**
 * Returns a value that PostgreSQL takes: no text of its has a zero character. Like half a surrogate pair, which has no
 * encoding, that becomes the character for what cannot be represented, so that a name with one is unknown.
 */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}

/** Whether PostgreSQL received the commit is not known. */
function unknownOutcome(cause: unknown): DatabaseFailure {
  return new DatabaseFailure('unavailable', 'does not answer: whether the change was made is not known', cause)
}
