import type { Kysely } from 'kysely'
import type { Database } from '../../src/db/schema.ts'

/** Returns the names of a database's tables, without those of the migrations. */
export async function tablesOf(db: Kysely<Database>): Promise<(keyof Database)[]> {
  const tables = await db.introspection.getTables()
  return tables.map(({ name }) => name as keyof Database)
}
