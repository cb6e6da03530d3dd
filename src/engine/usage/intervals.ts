import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { newId } from '../ids.ts'

/** From now on a computer's running is counted. */
export async function openUsage(db: Kysely<Database>, accountId: string, computerId: string): Promise<void> {
  const now = Date.now()
  await db
    .insertInto('usage_intervals')
    .values({
      id: newId(),
      account_id: accountId,
      computer_id: computerId,
      meter: 'compute',
      started_at: now,
      ended_at: now,
      open: 1,
    })
    .execute()
}

/** Moves the known end of every running interval on, so that a crash loses at most the time since. */
export async function extendUsage(db: Kysely<Database>, now: number): Promise<void> {
  await db.updateTable('usage_intervals').set({ ended_at: now }).where('open', '=', 1).execute()
}

/** Ends a computer's interval at a time; without one, at the last moment it is known to have run. */
export async function closeUsage(db: Kysely<Database>, computerId: string, endedAtMs?: number): Promise<void> {
  await db
    .updateTable('usage_intervals')
    .set(endedAtMs === undefined ? { open: 0 } : { open: 0, ended_at: endedAtMs })
    .where('computer_id', '=', computerId)
    .where('open', '=', 1)
    .execute()
}
