import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, InvitationRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { warnOfMail } from '../auth/warn-of-mail.ts'
import { networksIn, wideNetworkOf } from '../auth/wide-network.ts'
import type { Sender } from './invitation-sender.ts'
import type { Context } from '../../context.ts'

interface Invited {
  mailbox: string
  workspaceId: string
  sender: Sender
}

/**
 * Rejects with `rate_limited` where an invitation is one too many within a day: of its sender, into its workspace, to its mailbox by
 * either, or of what comes from the sender's network or from all. Of the latter the refusal tells nothing but when to look again, as they
 * are others' doing. Those count that were taken back or answered, and those that no message went out for.
 */
export async function assertMayInvite(
  trx: Transaction<Database>,
  engine: Pick<Context, 'settings' | 'log'>,
  invited: Invited,
): Promise<void> {
  await assertOwn(trx, invited)
  await assertOthers(trx, engine, invited)
}

/** What the sender and the workspace have done themselves. */
async function assertOwn(trx: Transaction<Database>, { mailbox, workspaceId, sender }: Invited): Promise<void> {
  const { invitationsPerUserDay, invitationsPerNewUserDay, invitationsPerWorkspaceDay, invitationsPerMailboxDay } =
    limits
  const assertLess = async (where: Partial<InvitationRow>, limit: number, why: string): Promise<void> => {
    const { count, firstAtMs } = await ofDay(trx, (all) => matching(all, where))
    if (count >= limit) throw ownRefusal(why, limit, firstAtMs)
  }
  const byWorkspace = { account_id: workspaceId }
  await assertLess(
    byWorkspace,
    invitationsPerWorkspaceDay,
    `${invitationsPerWorkspaceDay} were invited into the workspace`,
  )
  const again = `they were invited ${invitationsPerMailboxDay} times`
  await assertLess({ ...byWorkspace, mailbox }, invitationsPerMailboxDay, `${again} into the workspace`)
  if (sender.userId === null) return
  const bySender = { invited_by: sender.userId }
  const most = sender.isNew ? invitationsPerNewUserDay : invitationsPerUserDay
  await assertLess(bySender, most, `you have invited ${most}${sender.isNew ? ' on your first day' : ''}`)
  await assertLess({ ...bySender, mailbox }, invitationsPerMailboxDay, `${again} by you`)
}

async function assertOthers(
  trx: Transaction<Database>,
  { settings, log }: Pick<Context, 'settings' | 'log'>,
  { mailbox, sender: { network } }: Invited,
): Promise<void> {
  const { invitationsPerDay, mailsPerNetwork } = settings
  const isMuch = async (which: (all: OfDay) => OfDay, most: number): Promise<boolean> =>
    most > 0 && (await ofDay(trx, which)).count >= most
  const toMailbox = (all: OfDay) => all.where('mailbox', '=', mailbox)
  const isMuchOfNetwork = async (which: (all: OfDay) => OfDay, most: number): Promise<boolean> => {
    if (await isMuch((all) => which(all).where('network', '=', network), most)) return true
    const wide = wideNetworkOf(network)
    if (wide === undefined) return false
    const [from, before] = networksIn(wide)
    const ofWide = (all: OfDay) => which(all).where('network', '>=', from).where('network', '<', before)
    return isMuch(ofWide, most * limits.wideNetworkFactor)
  }
  const maxToMailbox = mailsPerNetwork === 0 ? 0 : limits.mailboxInvitationsPerNetworkDay
  const isRefused =
    (await isMuch(toMailbox, limits.mailboxInvitationsPerDay)) ||
    (await isMuchOfNetwork((all) => all, mailsPerNetwork)) ||
    (await isMuchOfNetwork(toMailbox, maxToMailbox))
  if (isRefused) throw refusal()
  if (!(await isMuch((all) => all, invitationsPerDay))) return
  warnOfMail(log, 'invitations', 'CARREL_INVITATIONS_PER_DAY')
  throw refusal()
}

/** When the first that counts is a day old, there is room for another one. */
function ownRefusal(why: string, limit: number, firstAtMs: number): CarrelError {
  const waitMs = firstAtMs + limits.mailDayMs - Date.now()
  return new CarrelError('rate_limited', `Cannot invite anybody now: ${why} within a day, which is the limit`, {
    details: { limit, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) },
  })
}

function refusal(): CarrelError {
  return new CarrelError(
    'rate_limited',
    'Cannot invite them now: the server sends no more such mail for the time being',
    {
      details: { retryAfter: limits.invitationRetryMs / 1000 },
    },
  )
}

type OfDay = ReturnType<typeof allOfDay>

function allOfDay(trx: Transaction<Database>) {
  return trx
    .selectFrom('invitations')
    .select(({ fn }) => [fn.countAll().as('count'), fn.min('created_at').as('first')])
    .where('created_at', '>', Date.now() - limits.mailDayMs)
}

function matching(all: OfDay, where: Partial<InvitationRow>): OfDay {
  return all.where((eb) => eb.and(where))
}

async function ofDay(
  trx: Transaction<Database>,
  which: (all: OfDay) => OfDay,
): Promise<{ count: number; firstAtMs: number }> {
  const { count, first } = await which(allOfDay(trx)).executeTakeFirstOrThrow()
  return { count: Number(count), firstAtMs: Number(first) }
}
