import { sql, type Kysely, type Transaction } from 'kysely'
import type { Database } from './schema.ts'

/**
 * Runs a transaction that is on the disk when this resolves, even after a power cut: for data that nothing else could
 * restore.
 */
export function durableTransaction<T>(
  db: Kysely<Database>,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (connection) => {
    // The pragma cannot change within a transaction; nothing else uses the connection meanwhile.
    await sql`PRAGMA synchronous=FULL`.execute(connection)
    try {
      return await connection.transaction().execute(work)
    } finally {
      await sql`PRAGMA synchronous=NORMAL`.execute(connection)
    }
  })
}
