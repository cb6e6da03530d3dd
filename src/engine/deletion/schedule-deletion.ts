import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import { assertSignedIn } from '../identity/accounts/signed-in.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { appendEvent } from '../audit/append-event.ts'
import { deletionMail } from './deletion-mail.ts'
import { addressesOf } from './deletion-subject.ts'

/**
 * Lets everything of the caller go in 30 days; until then all goes on as before. Asked again, the day stays. Gives it in Unix
 * milliseconds, and tells the person by mail, up to five times a day. Rejects with `conflict` for a token that belongs to no person, as the
 * owner's, and with `forbidden` for an API key: whoever has that is not the person.
 */
export async function scheduleDeletion(
  engine: Pick<Engine, 'db' | 'log' | 'server' | 'mail'>,
  caller: Authenticated,
): Promise<number> {
  const { userId } = caller
  if (userId === null)
    throw new CarrelError(
      'conflict',
      'Cannot delete the account: it belongs to no person, as the one that the server was set up with; the operator ends it with the server (npm run down -- --delete-data)',
    )
  assertSignedIn(caller, 'delete the account')
  const { deleteAt, isTold } = await engine.db.transaction().execute(async (trx) => {
    const user = await trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow()
    if (user.delete_at !== null) return { deleteAt: user.delete_at, isTold: false }
    const deleteAt = Date.now() + limits.deletionGraceMs
    const isTold = (await toldOfDay(trx, user.account_id)) < limits.noticesPerDay
    await trx.updateTable('users').set({ delete_at: deleteAt }).where('id', '=', userId).execute()
    await appendEvent(trx, {
      accountId: user.account_id,
      type: scheduled,
      actor: caller.tokenId,
      data: { deleteAt },
    })
    return { deleteAt, isTold }
  })
  if (isTold) await tell(engine, userId, deleteAt)
  return deleteAt
}

/** Whoever schedules it, and keeps the account, again and again, fills nobody's mailbox. */
async function toldOfDay(trx: Transaction<Database>, accountId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('events')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('type', '=', scheduled)
    .where('at', '>', Date.now() - limits.mailDayMs)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** A mail that does not go out keeps nobody from leaving. */
async function tell(
  engine: Pick<Engine, 'db' | 'log' | 'server' | 'mail'>,
  userId: string,
  deleteAtMs: number,
): Promise<void> {
  const message = deletionMail({ origin: engine.server.origin(), deleteAtMs })
  for (const to of await addressesOf(engine.db, userId))
    await engine.mail
      .send({ to, ...message })
      .catch((error: unknown) => engine.log.error({ err: error }, 'cannot tell a person that the account will go'))
}

const scheduled = 'user.deletion_scheduled'
