import { memoryUsage } from '../../memory/memory-files.ts'
import type { Context } from '../../context.ts'

/** Returns the bytes that an account has on the disks of its computers and in its memory now. */
export async function storageUsed(engine: Pick<Context, 'db' | 'driver'>, accountId: string): Promise<number> {
  const rows = await engine.db.selectFrom('computers').select('id').where('account_id', '=', accountId).execute()
  let bytes = (await memoryUsage(engine, accountId)).usedBytes
  for (const { id } of rows) {
    if (!(await engine.driver.get(id))) continue
    // A computer that is being deleted has none.
    const stats = await engine.driver.stats(id).catch(() => undefined)
    bytes += stats?.diskBytes ?? 0
  }
  return bytes
}
