import { sql, type Kysely } from 'kysely'
import type { Database } from './schema.ts'

/**
 * Returns the time of day by the clock of the database, in Unix milliseconds, precise to a second. Leases that several
 * servers judge go by it: the clocks of their hosts can differ.
 */
export async function databaseTimeMs(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ now: string | Date }>`select current_timestamp as now`.execute(db)
  const { now } = rows[0]!
  // SQLite says "2026-01-31 12:00:00", in UTC.
  return typeof now === 'string' ? Date.parse(`${now.replace(' ', 'T')}Z`) : now.getTime()
}
