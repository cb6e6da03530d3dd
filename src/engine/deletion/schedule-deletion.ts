import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { appendEvent } from '../events/append-event.ts'
import { deletionMail } from './deletion-mail.ts'
import { addressesOf } from './leaving.ts'

/**
 * Lets everything of the caller go in 30 days; until then all goes on as before. Asked again, the day stays. Gives it in Unix
 * milliseconds, and tells the person by mail. Rejects with `conflict` for a token that belongs to no person, as the owner's, and with `forbidden` for an API
 * key of a shared workspace: whoever has that is not the person.
 */
export async function scheduleDeletion(engine: Engine, caller: Authenticated): Promise<number> {
  const { userId } = caller
  if (userId === null)
    throw new CarrelError(
      'conflict',
      'Cannot delete the account: it belongs to no person, as the one that the server was set up with; the operator ends it with the server (npm run down -- --delete-data)',
    )
  const { deleteAt, isNew } = await engine.db.transaction().execute(async (trx) => {
    const user = await trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow()
    if (caller.kind === 'api_key' && caller.accountId !== user.account_id)
      throw new CarrelError(
        'forbidden',
        'Cannot delete the account by an API key of a shared workspace: sign in as the person',
      )
    if (user.delete_at !== null) return { deleteAt: user.delete_at, isNew: false }
    const deleteAt = Date.now() + limits.deletionGraceMs
    await trx.updateTable('users').set({ delete_at: deleteAt }).where('id', '=', userId).execute()
    await appendEvent(trx, {
      accountId: user.account_id,
      type: 'user.deletion_scheduled',
      actor: caller.tokenId,
      data: { deleteAt },
    })
    return { deleteAt, isNew: true }
  })
  if (isNew) await tell(engine, userId, deleteAt)
  return deleteAt
}

/** A mail that does not go out keeps nobody from leaving. */
async function tell(engine: Engine, userId: string, deleteAtMs: number): Promise<void> {
  const message = deletionMail({ origin: engine.origin(), deleteAtMs })
  for (const to of await addressesOf(engine.db, userId))
    await engine.mail
      .send({ to, ...message })
      .catch((error: unknown) => engine.log.error({ err: error }, 'cannot tell a person that the account will go'))
}
