import type { Engine } from '../engine.ts'
import { deleteRows } from './delete-rows.ts'
import { emptyHost } from './empty-host.ts'
import { finishDeletion } from './finish-deletion.ts'
import { leavingOf } from './leaving.ts'

/**
 * Deletes everybody whose 30 days are over. Each call goes through all that they had; a call that finds nothing more, so
 * that nothing came of requests that were still on their way either, takes the person away. What is interrupted is
 * taken up by the next call, also of another server.
 */
export async function deleteDue(engine: Engine): Promise<void> {
  const due = await engine.db.selectFrom('users').select('id').where('delete_at', '<=', Date.now()).execute()
  for (const { id } of due) {
    try {
      await goThrough(engine, id)
    } catch (error) {
      // The others' time has come all the same; this one is tried again.
      engine.log.error({ err: error, user: id }, 'cannot delete an account; will try again')
    }
  }
}

async function goThrough(engine: Engine, userId: string): Promise<void> {
  const leaving = await leavingOf(engine, userId)
  for (const address of leaving.addresses) await engine.mail.forget(address)
  let found = await deleteRows(engine, leaving)
  for (const accountId of leaving.accountIds) {
    engine.departures.tell(accountId)
    engine.credit.forget(accountId)
  }
  found += await emptyHost(engine, leaving)
  if (found > 0) return
  await finishDeletion(engine, leaving)
  engine.log.info({ user: userId }, 'an account is deleted')
}
