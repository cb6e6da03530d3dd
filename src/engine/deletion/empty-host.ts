import type { ComputersContext } from '../computers/computers.ts'
import { removeSnapshot } from '../computers/snapshots/remove-snapshot.ts'
import { destroyComputer } from '../computers/lifecycle/destroy.ts'
import { inList } from '../../db/in-list.ts'

/**
 * Destroys the accounts' computers on this node with their files, their snapshots, and the output of their processes.
 * Returns how many of these were found on all nodes: the servers of the others destroy theirs.
 */
export async function emptyHost(engine: ComputersContext, accountIds: readonly string[]): Promise<number> {
  const isHere = ({ node_id }: { node_id: string }) => node_id === engine.node.id
  const computers = await engine.db
    .selectFrom('computers')
    .select(['id', 'node_id'])
    .where((eb) => inList(eb, 'account_id', accountIds))
    .execute()
  for (const { id } of computers.filter(isHere))
    await engine.locks.computer(id, () => destroyComputer(engine, id, 'server', 'account deleted'))
  const snapshots = await engine.db
    .selectFrom('snapshots')
    .selectAll()
    .where((eb) => inList(eb, 'account_id', accountIds))
    .execute()
  for (const row of snapshots.filter(isHere)) await removeSnapshot(engine, row)
  await engine.recorder.flush()
  const processes = await engine.db
    .selectFrom('processes')
    .select(['id', 'node_id'])
    .where((eb) => inList(eb, 'account_id', accountIds))
    .execute()
  for (const { id } of processes.filter(isHere)) {
    // A process whose end is not known yet is recorded once more; a later call forgets it.
    const handle = engine.driver.process(id)
    if (handle && !handle.exit) continue
    await engine.driver.forget(id)
    await engine.db.deleteFrom('processes').where('id', '=', id).execute()
  }
  return computers.length + snapshots.length + processes.length
}
