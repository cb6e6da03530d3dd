import type { Kysely } from 'kysely'
import { databaseTimeMs } from '../../db/database-time.ts'
import type { Database } from '../../db/schema.ts'

// The clocks of servers differ. One must not delete what another still lets the user keep: both go by the clock of the
// database, and by their own where that is stricter, as the database's is precise to a second.

/** Returns a time at which what is due is deleted. */
export async function certainlyPast(db: Kysely<Database>): Promise<number> {
  return Math.min(Date.now(), await databaseTimeMs(db))
}

/** Returns a time from which on nothing can be kept any more. */
export async function possiblyPast(db: Kysely<Database>): Promise<number> {
  return Math.max(Date.now(), await databaseTimeMs(db))
}
