import { unindexed } from '../../../db/unindexed.ts'
import { memoryUsage } from '../../memory/memory-files.ts'
import type { Context } from '../../context.ts'
import { snapshotBytes } from './measure-snapshots.ts'

/**
 * Returns the bytes that an account has on the disks of its computers and in its snapshots on this node, and in its
 * memory, now.
 */
export async function storageUsed(engine: Pick<Context, 'db' | 'node' | 'driver'>, accountId: string): Promise<number> {
  const rows = await engine.db
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', accountId)
    .where(unindexed('node_id'), '=', engine.node.id)
    .execute()
  let bytes = (await memoryUsage(engine, accountId)).usedBytes + (await snapshotBytes(engine, accountId))
  for (const { id } of rows) {
    if (!(await engine.driver.get(id))) continue
    // A computer that is being deleted has none.
    const stats = await engine.driver.stats(id).catch(() => undefined)
    bytes += stats?.diskBytes ?? 0
  }
  return bytes
}
