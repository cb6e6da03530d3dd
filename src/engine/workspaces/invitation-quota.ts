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
 * Rejects with `rate_limited` where an invitation is one too many: of its sender within a day, into its workspace, to its mailbox whoever
 * sends, or of all mail to people who may want none. Those count that were taken back or answered, and those that no message went out for.
 */
export async function assertMayInvite(
  trx: Transaction<Database>,
  { mailsPerDay }: Pick<Settings, 'mailsPerDay'>,
  { mailbox, workspaceId, inviterId }: Invited,
): Promise<void> {
  const { invitationsPerPersonDay, invitationsPerWorkspaceDay, invitationsPerMailboxDay } = limits
  const assertLess = async (column: Column, value: string, limit: number, why: string): Promise<void> => {
    const { count, firstAtMs } = await ofDay(trx, column, value)
    if (count >= limit) throw refusal(`${why} within a day`, limit, firstAtMs)
  }
  if (inviterId !== null)
    await assertLess('invited_by', inviterId, invitationsPerPersonDay, `you have invited ${invitationsPerPersonDay}`)
  await assertLess(
    'account_id',
    workspaceId,
    invitationsPerWorkspaceDay,
    `${invitationsPerWorkspaceDay} were invited into the workspace`,
  )
  await assertLess('mailbox', mailbox, invitationsPerMailboxDay, `they were invited ${invitationsPerMailboxDay} times`)
  if (mailsPerDay > 0 && (await mailsOfDay(trx)) >= mailsPerDay)
    throw refusal('the server has sent as much mail as it does within a day', mailsPerDay)
}

/** When the first that counts is a day old, there is room for another one; where that is not known, it is looked for in an hour. */
function refusal(why: string, limit: number, firstAtMs?: number): CarrelError {
  const waitMs = firstAtMs === undefined ? 3_600_000 : firstAtMs + limits.mailDayMs - Date.now()
  return new CarrelError('rate_limited', `Cannot invite anybody now: ${why}, which is the limit`, {
    details: { limit, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) },
  })
}

type Column = 'invited_by' | 'account_id' | 'mailbox'

async function ofDay(
  trx: Transaction<Database>,
  column: Column,
  value: string,
): Promise<{ count: number; firstAtMs: number }> {
  const { count, first } = await trx
    .selectFrom('invitations')
    .select(({ fn }) => [fn.countAll().as('count'), fn.min('created_at').as('first')])
    .where(column, '=', value)
    .where('created_at', '>', Date.now() - limits.mailDayMs)
    .executeTakeFirstOrThrow()
  return { count: Number(count), firstAtMs: Number(first) }
}
