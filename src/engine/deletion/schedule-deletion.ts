import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { transaction } from '../../db/transaction.ts'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import { appendEvent } from '../audit/append-event.ts'
import { assertSignedIn } from '../identity/accounts/signed-in.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import type { IdentityContext } from '../identity/identity.ts'
import { deletionMail } from './deletion-mail.ts'
import { addressesOf } from './deletion-subject.ts'

/**
 * Schedules the deletion of the caller's user, with all that belongs to the user, in 30 days; until then everything
 * works as before. A second call leaves the time as it is. Returns the time in Unix milliseconds, and announces it to
 * the user by mail, at most five times a day. Throws `conflict` for a token without a user, such as the owner's, and
 * `forbidden` for an API key, whose holder need not be the user.
 */
export async function scheduleDeletion(
  parts: Pick<IdentityContext, 'db' | 'log' | 'server' | 'mail'>,
  caller: Authenticated,
): Promise<number> {
  const { userId } = caller
  if (userId === null)
    throw new CarrelError(
      'conflict',
      'Cannot delete the account: it belongs to no user, like the one that the server was installed with; the operator deletes it with the server (npm run down -- --delete-data)',
    )
  assertSignedIn(caller, 'delete the account')
  const { deleteAt, isAnnounced } = await transaction(parts.db, 'operational', async (trx) => {
    const user = await trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow()
    if (user.delete_at !== null) return { deleteAt: user.delete_at, isAnnounced: false }
    const deleteAt = Date.now() + limits.deletionGraceMs
    const isAnnounced = (await announcedWithinDay(trx, user.account_id)) < limits.noticesPerDay
    await trx.updateTable('users').set({ delete_at: deleteAt }).where('id', '=', userId).execute()
    await appendEvent(trx, {
      accountId: user.account_id,
      type: scheduled,
      actor: caller.tokenId,
      data: { deleteAt },
    })
    return { deleteAt, isAnnounced }
  })
  if (isAnnounced) await announce(parts, userId, deleteAt)
  return deleteAt
}

/** Counts the announcements of the last day, so that scheduling and cancelling again and again fills no mailbox. */
async function announcedWithinDay(trx: Transaction<Database>, accountId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('events')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('type', '=', scheduled)
    .where('at', '>', Date.now() - limits.mailDayMs)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Sends the announcement. A message that cannot be sent does not stop the deletion. */
async function announce(
  { db, log, server, mail }: Pick<IdentityContext, 'db' | 'log' | 'server' | 'mail'>,
  userId: string,
  deleteAtMs: number,
): Promise<void> {
  const message = deletionMail({ origin: server.origin(), deleteAtMs })
  for (const to of await addressesOf(db, userId))
    await mail
      .send({ to, ...message })
      .catch((error: unknown) => log.error({ err: error }, 'cannot announce the deletion of an account to its user'))
}

const scheduled = 'user.deletion_scheduled'
