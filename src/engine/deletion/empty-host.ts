import { destroyComputer } from '../computers/lifecycle/destroy.ts'
import type { Engine } from '../engine.ts'
import type { DeletionSubject } from './deletion-subject.ts'

/** Destroys the computers of those who leave with their files, and the output of their processes. Gives how much there was. */
export async function emptyHost(engine: Engine, { accountIds }: DeletionSubject): Promise<number> {
  const computers = await engine.db.selectFrom('computers').select('id').where('account_id', 'in', accountIds).execute()
  for (const { id } of computers)
    await engine.locks.run(id, () => destroyComputer(engine, id, 'server', 'account deleted'))
  await engine.recorder.flush()
  const processes = await engine.db.selectFrom('processes').select('id').where('account_id', 'in', accountIds).execute()
  for (const { id } of processes) {
    // One whose end is not known yet is recorded once more; its turn comes then.
    const handle = engine.driver.process(id)
    if (handle && !handle.exit) continue
    await engine.driver.forget(id)
    await engine.db.deleteFrom('processes').where('id', '=', id).execute()
  }
  return computers.length + processes.length
}
