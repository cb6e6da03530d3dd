import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** Ends the open invitations of a user who may not invite into the workspace any more. */
export async function endInvitationsBy(trx: Transaction<Database>, accountId: string, userId: string): Promise<void> {
  await trx
    .updateTable('invitations')
    .set({ ended_at: Date.now() })
    .where('account_id', '=', accountId)
    .where('invited_by', '=', userId)
    .where('ended_at', 'is', null)
    .execute()
}
