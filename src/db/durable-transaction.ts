import { sql, type Kysely, type Transaction } from 'kysely'
import type { Database } from './schema.ts'

/** A transaction that is on the disk when this resolves, power cut or not: for what nothing else could make good. */
export function durableTransaction<T>(
  db: Kysely<Database>,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (connection) => {
    // It cannot be changed within a transaction; nobody else has the connection meanwhile.
    await sql`PRAGMA synchronous=FULL`.execute(connection)
    try {
      return await connection.transaction().execute(work)
    } finally {
      await sql`PRAGMA synchronous=NORMAL`.execute(connection)
    }
  })
}
