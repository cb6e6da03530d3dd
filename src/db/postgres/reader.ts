import { createHash } from 'node:crypto'
import type { Reader } from '../reader.ts'
import type { Pool } from './pool.ts'

/** Looks up rows by prepared statements: PostgreSQL parses and plans each once for a connection. */
export class PostgresReader implements Reader {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Other servers commit, too: nothing is cached until the next commit. */
  version(): undefined {
    return undefined
  }

  prepare(sql: string): (parameters: readonly string[]) => Promise<unknown> {
    const name = `carrel_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`
    return (parameters) =>
      this.#pool.use(async (client) => (await client.query({ name, text: sql }, parameters)).rows[0] as unknown)
  }
}
