import { transaction } from '../../db/transaction.ts'
import { CarrelError } from '../../errors.ts'
import { appendEvent } from '../audit/append-event.ts'
import type { Context } from '../context.ts'
import { assertSignedIn } from '../identity/accounts/signed-in.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import { possiblyPast } from './deletion-time.ts'

/**
 * Cancels the scheduled deletion of the caller's user; does nothing when none is scheduled. Throws `conflict` when the
 * deletion has begun, and `forbidden` for an API key, whose holder need not be the user.
 */
export async function cancelDeletion({ db }: Pick<Context, 'db'>, caller: Authenticated): Promise<void> {
  const { userId, tokenId } = caller
  if (userId === null) return
  assertSignedIn(caller, 'keep the account')
  await transaction(db, 'operational', async (trx) => {
    const user = await trx
      .selectFrom('users')
      .select(['account_id', 'delete_at'])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (user?.delete_at === null) return
    if (!user || user.delete_at <= (await possiblyPast(trx)))
      throw new CarrelError('conflict', 'Cannot keep the account: its deletion has begun')
    await trx.updateTable('users').set({ delete_at: null }).where('id', '=', userId).execute()
    await appendEvent(trx, { accountId: user.account_id, type: 'user.deletion_cancelled', actor: tokenId })
  })
}
