import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { serverDatabase } from './server-database.ts'

/** Works on the database of the test servers while they run. */
export async function withDatabase<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const db = await openDatabase(await serverDatabase())
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}
