import type { ComputerRow, SnapshotRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import type { StorageUse } from '../../../drivers/driver.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { ComputersContext } from '../computers.ts'
import { ownComputer } from '../lifecycle/own-computer.ts'

/**
 * Takes a recorded snapshot of a computer, and records that it is ready or why it failed. Does nothing when it is ready
 * already; what an interrupted attempt has left is taken anew. Throws what failed.
 */
export async function takeSnapshot(engine: ComputersContext, snapshotId: string, actor: string): Promise<void> {
  const row = await engine.db.selectFrom('snapshots').selectAll().where('id', '=', snapshotId).executeTakeFirst()
  if (!row) throw new CarrelError('not_found', 'Cannot take the snapshot: it has been deleted')
  if (row.state === 'ready') return
  try {
    await engine.locks.computer(row.computer_id, () => take(engine, row, actor))
  } catch (error) {
    if (engine.server.closing.aborted) throw error
    await engine.driver.deleteSnapshot(row.id).catch(() => {})
    const { message } = asCarrelError(error)
    await change(engine, row, { state: 'failed', failure_reason: message })
    throw error
  }
}

async function take(engine: ComputersContext, row: SnapshotRow, actor: string): Promise<void> {
  const computer = await ownComputer(engine, row.computer_id)
  if (!computer || computer.state === 'deleting')
    throw new CarrelError('not_found', 'Cannot take the snapshot: its computer has been deleted')
  await engine.driver.deleteSnapshot(row.id)
  const { pausedMs, use } = await engine.driver.snapshot(row.computer_id, row.id)
  // The computer may have been restored while the snapshot waited for its turn.
  const filesSince = Number(computer.restored_at ?? computer.created_at)
  const taken = { ...row, files_since: filesSince, image: computer.image }
  const now = Date.now()
  await change(engine, row, {
    state: 'ready',
    files_since: filesSince,
    image: computer.image,
    size_bytes: use?.usedBytes ?? null,
    added_bytes: use ? await addedBytes(engine, taken, use) : null,
    paused_ms: pausedMs,
    ready_at: now,
    measured_at: now,
  })
  await recordTaken(engine, computer, row, actor)
}

/**
 * Returns what a snapshot holds that no earlier one of the same files does: all, when it is the first, and otherwise what
 * the computer alone had.
 */
async function addedBytes(
  { db }: Pick<ComputersContext, 'db'>,
  { id, computer_id, files_since }: SnapshotRow,
  { usedBytes, exclusiveBytes }: StorageUse,
): Promise<number> {
  const earlier = await db
    .selectFrom('snapshots')
    .select('id')
    .where('computer_id', '=', computer_id)
    .where('files_since', '=', files_since)
    .where('id', '!=', id)
    .where('added_bytes', 'is not', null)
    .executeTakeFirst()
  return earlier ? exclusiveBytes : usedBytes
}

async function change(
  { db }: Pick<ComputersContext, 'db'>,
  { id }: SnapshotRow,
  set: Partial<SnapshotRow>,
): Promise<void> {
  await db
    .updateTable('snapshots')
    .set({ ...set, updated_at: Date.now() })
    .where('id', '=', id)
    .where('state', '=', 'creating')
    .execute()
}

async function recordTaken(
  { db }: Pick<ComputersContext, 'db'>,
  { account_id: accountId, id: computerId }: ComputerRow,
  { id: snapshotId, kind }: SnapshotRow,
  actor: string,
): Promise<void> {
  await transaction(db, 'operational', (trx) =>
    appendEvent(trx, { accountId, computerId, type: 'snapshot.created', actor, data: { snapshotId, kind } }),
  )
}
