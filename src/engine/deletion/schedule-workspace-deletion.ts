import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { transaction } from '../../db/transaction.ts'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import { appendEvent } from '../audit/append-event.ts'
import type { Context } from '../context.ts'
import { assertRole, roleOf } from '../identity/accounts/roles.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import { isUser } from '../identity/workspaces/enter-workspace.ts'
import { possiblyPast } from './deletion-time.ts'

/**
 * Schedules the deletion of the workspace that the caller is in, with all that it has, in 30 days; until then
 * everything works as before. A second call leaves the time as it is. Returns the time in Unix milliseconds. Throws
 * `forbidden` unless the caller is an owner who is signed in, and `conflict` for a user's own workspace, which is
 * deleted with the user, and for the first one.
 */
export function scheduleWorkspaceDeletion(
  parts: Pick<Context, 'db' | 'server'>,
  caller: Authenticated,
): Promise<number> {
  const { accountId: id } = caller
  return transaction(parts.db, 'operational', async (trx) => {
    await assertDeletable(trx, parts, caller)
    const { delete_at: before } = await trx
      .selectFrom('accounts')
      .select('delete_at')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (before !== null) return before
    const deleteAt = Date.now() + limits.deletionGraceMs
    await trx.updateTable('accounts').set({ delete_at: deleteAt }).where('id', '=', id).execute()
    await appendEvent(trx, {
      accountId: id,
      type: 'workspace.deletion_scheduled',
      actor: caller.tokenId,
      data: { deleteAt },
    })
    return deleteAt
  })
}

/**
 * Cancels the scheduled deletion of the workspace; does nothing when none is scheduled. Throws as
 * `scheduleWorkspaceDeletion` does, and `conflict` when the deletion has begun.
 */
export async function cancelWorkspaceDeletion(
  parts: Pick<Context, 'db' | 'server'>,
  caller: Authenticated,
): Promise<void> {
  const { accountId: id } = caller
  await transaction(parts.db, 'operational', async (trx) => {
    await assertDeletable(trx, parts, caller)
    const row = await trx.selectFrom('accounts').select('delete_at').where('id', '=', id).executeTakeFirst()
    if (row?.delete_at === null) return
    if (!row || row.delete_at <= (await possiblyPast(trx)))
      throw new CarrelError('conflict', 'Cannot keep the workspace: its deletion has begun')
    await trx.updateTable('accounts').set({ delete_at: null }).where('id', '=', id).execute()
    await appendEvent(trx, { accountId: id, type: 'workspace.deletion_cancelled', actor: caller.tokenId })
  })
}

async function assertDeletable(
  trx: Transaction<Database>,
  { server }: Pick<Context, 'server'>,
  caller: Authenticated,
): Promise<void> {
  const { accountId } = caller
  if (accountId === server.ownerId)
    throw new CarrelError(
      'conflict',
      'Cannot delete the first workspace: the operator deletes it with the server (npm run down -- --delete-data)',
    )
  const user = await trx.selectFrom('users').select('id').where('account_id', '=', accountId).executeTakeFirst()
  if (user) throw new CarrelError('conflict', 'Cannot delete a workspace of your own: it is deleted with your account')
  if (!isUser(caller))
    throw new CarrelError('forbidden', 'Cannot delete a workspace: this takes the token of a sign-in, not of a program')
  // Read in this transaction: of two owners who demote each other at once, the second fails.
  assertRole({ role: (await roleOf(trx, accountId, caller.userId)) ?? 'member' }, 'owner')
}
