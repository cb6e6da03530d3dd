import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Settings } from '../../config/settings.ts'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import { mailsOfDay } from '../sign-in/link-quota.ts'

interface Invited {
  mailbox: string
  workspaceId: string
  /** null for a token that belongs to no person. */
  inviterId: string | null
}

/**
 * Rejects with `limit_reached` where an invitation is one too many: of its sender within a day, into its workspace, to its mailbox whoever
 * sends, or of all mail to people who may want none. Those count that were taken back or answered, and those that no message went out for.
 */
export async function assertMayInvite(
  trx: Transaction<Database>,
  { mailsPerDay }: Pick<Settings, 'mailsPerDay'>,
  { mailbox, workspaceId, inviterId }: Invited,
): Promise<void> {
  const { invitationsPerPersonDay, invitationsPerWorkspaceDay, invitationsPerMailboxDay } = limits
  if (inviterId !== null && (await count(trx, 'invited_by', inviterId)) >= invitationsPerPersonDay)
    throw refusal(`you have invited ${invitationsPerPersonDay} within a day`, invitationsPerPersonDay)
  if ((await count(trx, 'account_id', workspaceId)) >= invitationsPerWorkspaceDay)
    throw refusal(
      `${invitationsPerWorkspaceDay} were invited into the workspace within a day`,
      invitationsPerWorkspaceDay,
    )
  if ((await count(trx, 'mailbox', mailbox)) >= invitationsPerMailboxDay)
    throw refusal(`they were invited ${invitationsPerMailboxDay} times within a day`, invitationsPerMailboxDay)
  if (mailsPerDay > 0 && (await mailsOfDay(trx)) >= mailsPerDay)
    throw refusal('the server has sent as much mail as it does within a day', mailsPerDay)
}

function refusal(why: string, limit: number): CarrelError {
  return new CarrelError('limit_reached', `Cannot invite anybody now: ${why}, which is the limit`, {
    details: { limit },
  })
}

async function count(
  trx: Transaction<Database>,
  column: 'invited_by' | 'account_id' | 'mailbox',
  value: string,
): Promise<number> {
  const { count } = await trx
    .selectFrom('invitations')
    .select((eb) => eb.fn.countAll().as('count'))
    .where(column, '=', value)
    .where('created_at', '>', Date.now() - limits.mailDayMs)
    .executeTakeFirstOrThrow()
  return Number(count)
}
