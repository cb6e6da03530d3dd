import { CarrelError } from '../../errors.ts'
import { assertSignedIn } from '../identity/accounts/signed-in.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import { appendEvent } from '../audit/append-event.ts'
import type { Context } from '../context.ts'

/**
 * Keeps the caller. One whose deletion is not scheduled stays as well; rejects with `conflict` when it has begun, and with `forbidden` for
 * an API key: whoever has that is not the person.
 */
export async function cancelDeletion({ db }: Pick<Context, 'db'>, caller: Authenticated): Promise<void> {
  const { userId, tokenId } = caller
  if (userId === null) return
  assertSignedIn(caller, 'keep the account')
  await db.transaction().execute(async (trx) => {
    const user = await trx
      .selectFrom('users')
      .select(['account_id', 'delete_at'])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (user?.delete_at === null) return
    if (!user || user.delete_at <= Date.now())
      throw new CarrelError('conflict', 'Cannot keep the account: its deletion has begun')
    await trx.updateTable('users').set({ delete_at: null }).where('id', '=', userId).execute()
    await appendEvent(trx, { accountId: user.account_id, type: 'user.deletion_cancelled', actor: tokenId })
  })
}
