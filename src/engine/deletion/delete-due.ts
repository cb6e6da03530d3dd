import type { ComputersContext } from '../computers/computers.ts'
import { expireCheckouts } from '../money/payments/expire-checkouts.ts'
import { certainlyPast } from './deletion-time.ts'
import { deleteRows } from './delete-rows.ts'
import { userSubject, workspaceSubject, type DeletionSubject } from './deletion-subject.ts'
import { emptyHost } from './empty-host.ts'
import { eraseTraces } from './erase-traces.ts'
import { finishDeletion } from './finish-deletion.ts'
import { forgetUsage } from './forget-usage.ts'

/**
 * Deletes every user and every workspace whose 30 days are over. Each call deletes all that it finds of a subject: every
 * server what is on its node, and one of them what is in the database. A call of that one that finds nothing more, on no
 * node, removes the subject itself: by then requests that were still under way have left nothing either. The next call
 * continues an interrupted deletion, also in another server.
 */
export async function deleteDue(engine: ComputersContext): Promise<void> {
  const now = await certainlyPast(engine.db)
  const due = (table: 'users' | 'accounts') =>
    engine.db.selectFrom(table).select('id').where('delete_at', '<=', now).execute()
  for (const { id } of await due('users')) await attempt(engine, id, () => userSubject(engine, id))
  for (const { id } of await due('accounts')) await attempt(engine, id, async () => workspaceSubject(id))
}

/** Logs a failure, so that it does not keep other subjects from being deleted; the next call tries again. */
async function attempt(engine: ComputersContext, id: string, find: () => Promise<DeletionSubject>): Promise<void> {
  try {
    await deleteOnce(engine, id, await find())
  } catch (error) {
    engine.log.error({ err: error, id }, 'cannot delete an account; will try again')
  }
}

async function deleteOnce(engine: ComputersContext, id: string, subject: DeletionSubject): Promise<void> {
  const addresses = subject.kind === 'user' ? subject.addresses : []
  for (const address of addresses) await engine.mail.forget(address)
  if (!engine.nodeLease.leads) return void (await emptyNode(engine, subject))
  let found = await deleteRows(engine, subject)
  // No token is left that could start another payment.
  await expireCheckouts(engine, subject.accountIds)
  found += await emptyNode(engine, subject)
  found += await forgetUsage(engine, subject.accountIds)
  if (found > 0) return
  await finishDeletion(engine, subject)
  await eraseTraces(engine)
  engine.log.info({ id }, subject.kind === 'workspace' ? 'a workspace is deleted' : 'an account is deleted')
}

/** Deletes what is of a subject on this node. Returns how much there was on all nodes. */
async function emptyNode(engine: ComputersContext, { accountIds }: DeletionSubject): Promise<number> {
  for (const accountId of accountIds) {
    engine.accountRemovals.notify(accountId)
    engine.credit.forget(accountId)
  }
  return emptyHost(engine, accountIds)
}
