import type { Transaction } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { Database, SnapshotRow } from '../../../db/schema.ts'
import type { ComputersContext } from '../computers.ts'

/** Deletes a snapshot with its row. Does nothing when both are gone. */
export async function removeSnapshot(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'locks'>,
  { id, computer_id: computerId }: Pick<SnapshotRow, 'id' | 'computer_id'>,
): Promise<void> {
  await engine.locks.computer(computerId, async () => {
    const exclusiveBytes = (await engine.driver.snapshotUse(id))?.exclusiveBytes ?? 0
    await engine.driver.deleteSnapshot(id)
    await transaction(engine.db, 'operational', async (trx) => {
      const row = await trx.deleteFrom('snapshots').where('id', '=', id).returningAll().executeTakeFirst()
      if (row) await passOn(trx, row, Number(row.added_bytes ?? 0) - exclusiveBytes)
    })
  })
}

/**
 * Passes what a deleted snapshot had added, and was not freed with it, on to the next one of the same files, which has it
 * too. Without a next one, only the computer can have it, where it counts anyway.
 */
async function passOn(trx: Transaction<Database>, deleted: SnapshotRow, bytes: number): Promise<void> {
  if (bytes <= 0) return
  const next = await trx
    .selectFrom('snapshots')
    .select(['id', 'added_bytes', 'size_bytes'])
    .where('computer_id', '=', deleted.computer_id)
    .where('files_since', '=', deleted.files_since)
    .where('created_at', '>=', deleted.created_at)
    .where('added_bytes', 'is not', null)
    .orderBy('created_at')
    .executeTakeFirst()
  if (!next) return
  const added = Math.min(Number(next.size_bytes), Number(next.added_bytes) + bytes)
  await trx.updateTable('snapshots').set({ added_bytes: added }).where('id', '=', next.id).execute()
}
