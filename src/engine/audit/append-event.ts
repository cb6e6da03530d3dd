import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { newId } from '../ids.ts'

interface NewEvent {
  accountId: string | null
  computerId?: string
  /** `<noun>.<past participle>`, e.g. `computer.stopped`. */
  type: string
  /** A token's id, or what did it by itself: `lease`, `server`, `kernel`. */
  actor: string
  data?: Record<string, unknown>
  /** When it was, in Unix milliseconds; now where it is not given. Facts of one account are ordered by it. */
  atMs?: number
}

/** Adds a fact to the audit log, in the transaction of what it tells of. */
export async function appendEvent(db: Kysely<Database> | Transaction<Database>, event: NewEvent): Promise<void> {
  await db
    .insertInto('events')
    .values({
      id: newId(),
      account_id: event.accountId,
      computer_id: event.computerId ?? null,
      type: event.type,
      actor: event.actor,
      data: JSON.stringify(event.data ?? {}),
      at: event.atMs ?? Date.now(),
    })
    .execute()
}
