import type { Engine } from '../engine.ts'
import { expireCheckouts } from '../money/payments/expire-checkouts.ts'
import { deleteRows } from './delete-rows.ts'
import { emptyHost } from './empty-host.ts'
import { eraseTraces } from './erase-traces.ts'
import { finishDeletion } from './finish-deletion.ts'
import { forgetUsage } from './forget-usage.ts'
import { isWorkspace, personSubject, workspaceSubject, type DeletionSubject } from './deletion-subject.ts'

/**
 * Deletes everybody, and every workspace, whose 30 days are over. Each call goes through all that they had; a call that finds nothing more, so
 * that nothing came of requests that were still on their way either, takes the person or the workspace away. What is interrupted is
 * taken up by the next call, also of another server.
 */
export async function deleteDue(engine: Engine): Promise<void> {
  const due = (table: 'users' | 'accounts') =>
    engine.db.selectFrom(table).select('id').where('delete_at', '<=', Date.now()).execute()
  for (const { id } of await due('users')) await attempt(engine, id, () => personSubject(engine, id))
  for (const { id } of await due('accounts')) await attempt(engine, id, async () => workspaceSubject(id))
}

/** The others' time has come all the same when one cannot be deleted; that one is tried again. */
async function attempt(engine: Engine, id: string, leaving: () => Promise<DeletionSubject>): Promise<void> {
  try {
    await goThrough(engine, id, await leaving())
  } catch (error) {
    engine.log.error({ err: error, id }, 'cannot delete an account; will try again')
  }
}

async function goThrough(engine: Engine, id: string, leaving: DeletionSubject): Promise<void> {
  for (const address of leaving.addresses) await engine.mail.forget(address)
  let found = await deleteRows(engine, leaving)
  // No token is left that could begin another payment.
  await expireCheckouts(engine, leaving.accountIds)
  for (const accountId of leaving.accountIds) {
    engine.accountRemovals.tell(accountId)
    engine.credit.forget(accountId)
  }
  found += await emptyHost(engine, leaving)
  found += await forgetUsage(engine, leaving.accountIds)
  if (found > 0) return
  await finishDeletion(engine, leaving)
  await eraseTraces(engine)
  engine.log.info({ id }, isWorkspace(leaving) ? 'a workspace is deleted' : 'an account is deleted')
}
