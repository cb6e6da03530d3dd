import type { ComputerRow, OperationRow } from '../../../db/schema.ts'
import { inGiB } from '../durable/in-gib.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { beginChange } from '../durable/begin-change.ts'
import type { Begun } from '../durable/create-computer.ts'
import { restartAfter, stopFor } from '../durable/restart-after.ts'
import { atHome, notAtHome } from '../lifecycle/at-home.ts'
import type { AccessibleSnapshot } from './find-snapshot.ts'

interface Input {
  wanted: { snapshotId: string }
  wasRunning: boolean
}

const doing = 'Cannot restore the computer'

/**
 * Begins to replace the files of a computer by those of a snapshot; a running computer is stopped for it and started
 * again. Throws `conflict` for a snapshot that is not ready or too large, and `out_of_credits`.
 */
export async function beginRestoreInPlace(
  engine: ComputersContext,
  computer: AccessibleComputer<'manage'>,
  { snapshot, requestKey }: { snapshot: AccessibleSnapshot; requestKey?: string | undefined },
): Promise<Begun> {
  if (computer.row.state === 'running')
    await assertCredit(engine, { ...computer.caller, accountId: computer.accountId })
  return beginChange(engine, computer, {
    kind: 'computer.restore',
    doing,
    from: ['running', 'paused', 'stopped', 'failed'],
    wanted: { snapshotId: snapshot.id },
    requestKey,
    prepare: async (trx, row) => {
      if (row.started_at === null)
        throw new CarrelError('conflict', `${doing}: it has never started`, { details: { state: row.state } })
      const found = await trx
        .selectFrom('snapshots')
        .select(['state', 'size_bytes'])
        .where('id', '=', snapshot.id)
        .executeTakeFirst()
      if (found?.state !== 'ready')
        throw new CarrelError('conflict', `${doing}: the snapshot is ${found?.state ?? 'deleted'}`, {
          details: { state: found?.state ?? 'deleted' },
        })
      const usedBytes = Number(found.size_bytes ?? 0)
      if (usedBytes > row.disk_bytes)
        throw new CarrelError('conflict', `${doing}: the snapshot holds ${inGiB(usedBytes)}, more than its storage`, {
          details: { usedBytes },
        })
      return { wasRunning: row.state === 'running' || row.state === 'paused' }
    },
  })
}

/** Does the work of a restore in place. The caller holds the computer's lock. */
export async function restoreInPlace(
  engine: ComputersContext,
  row: ComputerRow,
  { actor, input, created_at: restoredAt }: OperationRow,
): Promise<void> {
  const { wanted, wasRunning } = JSON.parse(input!) as Input
  try {
    // An interrupted server may have done this before the computer was started again.
    if (Number(row.restored_at) !== Number(restoredAt)) {
      const snapshot = await engine.db
        .selectFrom('snapshots')
        .select(['id', 'image'])
        .where('id', '=', wanted.snapshotId)
        .executeTakeFirst()
      if (!snapshot) throw new CarrelError('not_found', `${doing}: the snapshot has been deleted`)
      await stopFor(engine, row, actor, 'restore')
      await engine.driver.restore(row.id, snapshot.id)
      await record(engine, row, { snapshot, restoredAt, actor })
    }
  } finally {
    if (wasRunning) await restartAfter(engine, row.id, actor, 'restore')
  }
}

async function record(
  { db, node }: Pick<ComputersContext, 'db' | 'node'>,
  row: ComputerRow,
  { snapshot, restoredAt, actor }: { snapshot: { id: string; image: string }; restoredAt: number; actor: string },
): Promise<void> {
  await transaction(db, 'operational', async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('computers')
      .set({ image: snapshot.image, restored_at: restoredAt, updated_at: Date.now() })
      .where(atHome(node, row))
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw await notAtHome(trx, node, { home: row, row, doing })
    await appendEvent(trx, {
      accountId: row.account_id,
      computerId: row.id,
      type: 'computer.restored',
      actor,
      data: { snapshotId: snapshot.id },
    })
  })
}
