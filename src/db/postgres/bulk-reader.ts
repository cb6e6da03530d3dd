import { limits } from '../../config/limits.ts'
import type { Executor, Statement } from '../fair-reader.ts'
import { Pool } from './pool.ts'

/** Reads over a connection of its own, so that long reads leave the others to the requests. */
export class BulkReader implements Executor {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool(url, { maxConnections: 1, readOnly: true, statementMs: limits.bulkReadWaitMs })
  }

  read(statements: readonly Statement[]): Promise<unknown[][]> {
    return this.#pool.use(async (client) => {
      await client.query('begin isolation level repeatable read read only')
      try {
        const rows: unknown[][] = []
        for (const { sql, parameters } of statements) {
          const read = (await client.query(sql, parameters)) as { rows: unknown[] }
          rows.push(read.rows)
        }
        return rows
      } finally {
        await client.query('rollback')
      }
    })
  }

  set isSilent(isSilent: boolean) {
    this.#pool.isSilent = isSilent
  }

  /** The pool closes idle connections by itself. */
  rest(): void {}

  close(): void {
    void this.#pool.end()
  }
}
