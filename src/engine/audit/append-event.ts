import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { newId } from '../ids.ts'

interface NewEvent {
  accountId: string | null
  computerId?: string
  /** `<noun>.<past participle>`, e.g. `computer.stopped`. */
  type: string
  /** The id of the token, or the part of the server that acted by itself: `lease`, `server`, `kernel`. */
  actor: string
  data?: Record<string, unknown>
  /** When it happened, in Unix milliseconds; default: now. Orders the events of an account. */
  atMs?: number
}

/** Appends an event to the audit log, in the transaction of the change that it records. */
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
