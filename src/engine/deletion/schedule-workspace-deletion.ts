import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import { assertRole, roleOf } from '../identity/accounts/roles.ts'
import type { Authenticated } from '../identity/accounts/tokens.ts'
import { appendEvent } from '../audit/append-event.ts'
import { isPerson } from '../identity/workspaces/enter-workspace.ts'
import type { Context } from '../context.ts'

/**
 * Lets the workspace that the caller is in go in 30 days, with all that it has; until then all goes on as before. Asked again, the day
 * stays. Gives it in Unix milliseconds. It takes an owner who is signed in (`forbidden`). Rejects with `conflict` for somebody's own,
 * which goes with them, and for the first one.
 */
export function scheduleWorkspaceDeletion(
  engine: Pick<Context, 'db' | 'server'>,
  caller: Authenticated,
): Promise<number> {
  const { accountId: id } = caller
  return engine.db.transaction().execute(async (trx) => {
    await assertDeletable(trx, engine, caller)
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

/** Keeps it. One whose deletion is not scheduled stays as well; rejects as `scheduleWorkspaceDeletion`, and with `conflict` when it has begun. */
export async function cancelWorkspaceDeletion(
  engine: Pick<Context, 'db' | 'server'>,
  caller: Authenticated,
): Promise<void> {
  const { accountId: id } = caller
  await engine.db.transaction().execute(async (trx) => {
    await assertDeletable(trx, engine, caller)
    const row = await trx.selectFrom('accounts').select('delete_at').where('id', '=', id).executeTakeFirst()
    if (row?.delete_at === null) return
    if (!row || row.delete_at <= Date.now())
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
      'Cannot delete the first workspace: the operator ends it with the server (npm run down -- --delete-data)',
    )
  const person = await trx.selectFrom('users').select('id').where('account_id', '=', accountId).executeTakeFirst()
  if (person)
    throw new CarrelError(
      'conflict',
      'Cannot delete a workspace of your own: it goes with your account, by DELETE /api/v1/account/delete',
    )
  if (!isPerson(caller))
    throw new CarrelError('forbidden', 'Cannot delete a workspace: that takes the token of a sign-in, not of a program')
  // As of this transaction: of two owners who unmake each other at once one is too late.
  assertRole({ role: (await roleOf(trx, accountId, caller.userId)) ?? 'member' }, 'owner')
}
