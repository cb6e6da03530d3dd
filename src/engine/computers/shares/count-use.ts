import type { Transaction } from 'kysely'
import type { AccessSessionRow, Database } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { noShare } from './share.ts'

/** Counts a session that the link of a share opens. Throws `not_found` for a share that was revoked meanwhile. */
export async function countUse(
  trx: Transaction<Database>,
  { id: sessionId, kind, account_id: accountId, computer_id: computerId, created_at }: Omit<AccessSessionRow, 'hash'>,
  shareId: string,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('shares')
    .set((eb) => ({ uses: eb('uses', '+', 1), last_used_at: created_at }))
    .where('id', '=', shareId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw noShare()
  await appendEvent(trx, {
    accountId,
    computerId,
    type: 'share.opened',
    actor: `share:${shareId}`,
    data: { shareId, sessionId, kind },
  })
}
