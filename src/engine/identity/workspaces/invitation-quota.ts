import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, InvitationRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { warnMailLimit } from '../auth/warn-mail-limit.ts'
import { networksIn, sitePrefixOf } from '../auth/site-prefix.ts'
import type { Sender } from './invitation-sender.ts'
import type { Context } from '../../context.ts'

interface Invited {
  mailbox: string
  workspaceId: string
  sender: Sender
}

/**
 * Throws `rate_limited` when an invitation exceeds a daily limit: of its sender, of its workspace, of its mailbox by
 * either, of the sender's network, or of the server. The error for the last two says only when to retry, since others
 * have used them up. Revoked and answered invitations count, and so do those for which no message was sent.
 */
export async function assertMayInvite(
  trx: Transaction<Database>,
  engine: Pick<Context, 'settings' | 'log'>,
  invited: Invited,
): Promise<void> {
  await assertOwnLimits(trx, invited)
  await assertSharedLimits(trx, engine, invited)
}

/** Checks the limits of the sender and of the workspace. */
async function assertOwnLimits(trx: Transaction<Database>, { mailbox, workspaceId, sender }: Invited): Promise<void> {
  const { invitationsPerUserDay, invitationsPerNewUserDay, invitationsPerWorkspaceDay, invitationsPerMailboxDay } =
    limits
  const assertBelow = async (where: Partial<InvitationRow>, limit: number, why: string): Promise<void> => {
    const { count, firstAtMs } = await ofDay(trx, (all) => matching(all, where))
    if (count >= limit) throw ownRefusal(why, limit, firstAtMs)
  }
  const byWorkspace = { account_id: workspaceId }
  await assertBelow(
    byWorkspace,
    invitationsPerWorkspaceDay,
    `${invitationsPerWorkspaceDay} were invited into the workspace`,
  )
  const again = `they were invited ${invitationsPerMailboxDay} times`
  await assertBelow({ ...byWorkspace, mailbox }, invitationsPerMailboxDay, `${again} into the workspace`)
  if (sender.userId === null) return
  const bySender = { invited_by: sender.userId }
  const max = sender.isNew ? invitationsPerNewUserDay : invitationsPerUserDay
  await assertBelow(bySender, max, `you have invited ${max}${sender.isNew ? ' on your first day' : ''}`)
  await assertBelow({ ...bySender, mailbox }, invitationsPerMailboxDay, `${again} by you`)
}

/** Checks the limits that the sender shares with others. */
async function assertSharedLimits(
  trx: Transaction<Database>,
  { settings, log }: Pick<Context, 'settings' | 'log'>,
  { mailbox, sender: { network } }: Invited,
): Promise<void> {
  const { invitationsPerDay, mailsPerNetwork } = settings
  const isAtLimit = async (which: (all: OfDay) => OfDay, max: number): Promise<boolean> =>
    max > 0 && (await ofDay(trx, which)).count >= max
  const toMailbox = (all: OfDay) => all.where('mailbox', '=', mailbox)
  const isNetworkAtLimit = async (which: (all: OfDay) => OfDay, max: number): Promise<boolean> => {
    if (await isAtLimit((all) => which(all).where('network', '=', network), max)) return true
    const sitePrefix = sitePrefixOf(network)
    if (sitePrefix === undefined) return false
    const [from, before] = networksIn(sitePrefix)
    const ofSite = (all: OfDay) => which(all).where('network', '>=', from).where('network', '<', before)
    return isAtLimit(ofSite, max * limits.sitePrefixFactor)
  }
  const maxToMailbox = mailsPerNetwork === 0 ? 0 : limits.mailboxInvitationsPerNetworkDay
  const isRefused =
    (await isAtLimit(toMailbox, limits.mailboxInvitationsPerDay)) ||
    (await isNetworkAtLimit((all) => all, mailsPerNetwork)) ||
    (await isNetworkAtLimit(toMailbox, maxToMailbox))
  if (isRefused) throw refusal()
  if (!(await isAtLimit((all) => all, invitationsPerDay))) return
  warnMailLimit(log, 'invitations', 'CARREL_INVITATIONS_PER_DAY')
  throw refusal()
}

/**
 * Returns the error for a limit of the sender or the workspace; another invitation is possible when the first one is a
 * day old.
 */
function ownRefusal(why: string, limit: number, firstAtMs: number): CarrelError {
  const waitMs = firstAtMs + limits.mailDayMs - Date.now()
  return new CarrelError('rate_limited', `Cannot invite anybody now: ${why} within a day, which is the limit`, {
    details: { limit, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) },
  })
}

function refusal(): CarrelError {
  return new CarrelError('rate_limited', 'Cannot invite them now: the server sends no more such mail at present', {
    details: { retryAfter: limits.invitationRetryMs / 1000 },
  })
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
