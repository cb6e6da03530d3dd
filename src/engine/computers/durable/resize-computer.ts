import { inGiB } from './in-gib.ts'
import type { Transaction } from 'kysely'
import type { ComputerRow, Database, OperationRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { keepMemoryUse } from '../../money/usage/computer-usage.ts'
import { settleNow } from '../../money/usage/settle-usage.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { atHome, notAtHome } from '../lifecycle/at-home.ts'
import { beginChange } from './begin-change.ts'
import { assertFits, capacityOf } from './capacity.ts'
import type { Begun } from './create-computer.ts'
import { restartAfter, stopFor } from './restart-after.ts'
import { changedSize, sizeOfRow, type Size, type WantedSize } from './sizes.ts'

interface Input {
  size: Size
  from: Size
  wasRunning: boolean
}

export interface BegunResize extends Begun {
  /** Whether the computer has to stop and start for it, as far as is known now. */
  needsRestart: boolean
}

const doing = 'Cannot resize the computer'

/**
 * Begins to give a computer another size; what the request leaves out stays. A running computer runs on, unless it uses
 * more memory than it would have: then it is stopped and started. Throws `conflict` when its disk holds more than it would
 * have, `no_capacity`, and `invalid_request`.
 */
export async function beginResize(
  engine: ComputersContext,
  computer: AccessibleComputer<'manage'>,
  { wanted, requestKey }: { wanted: WantedSize; requestKey?: string | undefined },
): Promise<BegunResize> {
  const stats = await engine.driver.stats(computer.id).catch(() => undefined)
  const size = changedSize(sizeOfRow(computer.row), wanted)
  if (stats?.diskBytes !== undefined && stats.diskBytes > size.diskBytes)
    throw new CarrelError('conflict', `${doing}: its disk holds ${inGiB(stats.diskBytes)}; delete files first`, {
      details: { usedBytes: stats.diskBytes },
    })
  await settleNow(engine, [computer.accountId])
  const begun = await beginChange(engine, computer, {
    kind: 'computer.resize',
    doing,
    from: ['running', 'paused', 'stopped', 'failed'],
    wanted: size,
    requestKey,
    prepare: async (trx, row): Promise<Input> => {
      await assertRoomFor(engine, trx, row, size)
      const from = sizeOfRow(row)
      // What grows is promised from now on, and what shrinks until it has shrunk.
      await setSize(trx, row, {
        memoryBytes: Math.max(from.memoryBytes, size.memoryBytes),
        diskBytes: Math.max(from.diskBytes, size.diskBytes),
        preset: from.preset,
      })
      return { size, from, wasRunning: row.state === 'running' || row.state === 'paused' }
    },
  })
  return { ...begun, needsRestart: (stats?.memoryBytes ?? 0) > size.memoryBytes }
}

/** Does the work of a resize. The caller holds the computer's lock. */
export async function resizeComputer(
  engine: ComputersContext,
  row: ComputerRow,
  { actor, input }: Pick<OperationRow, 'actor' | 'input'>,
): Promise<{ restarted: boolean }> {
  const { size, from, wasRunning } = JSON.parse(input!) as Input
  const restarts = await apply(engine, row, size, actor).catch(async (error: unknown) => {
    if (!engine.server.closing.aborted) await record(engine, row, { to: from, from, actor })
    throw error
  })
  await record(engine, row, { to: size, from, actor })
  if (wasRunning) await restartAfter(engine, row.id, actor, 'resize')
  return { restarted: restarts }
}

/** Returns whether the computer had to be stopped. */
async function apply(engine: ComputersContext, row: ComputerRow, size: Size, actor: string): Promise<boolean> {
  const { driver } = engine
  // A computer that has never started gets its size when it does.
  if (!(await driver.get(row.id))) return false
  const { memoryBytes, diskBytes } = size
  const limits = { cpus: row.cpus, pids: row.pids, memoryBytes, diskBytes }
  if (await driver.resize(row.id, limits)) return row.state_reason === 'resize'
  await stopFor(engine, row, actor, 'resize')
  await driver.resize(row.id, limits)
  return true
}

async function record(
  engine: ComputersContext,
  row: ComputerRow,
  { to, from, actor }: { to: Size; from: Size; actor: string },
): Promise<void> {
  if (row.account_id !== null) await settleNow(engine, [row.account_id])
  await transaction(engine.db, 'operational', async (trx) => {
    const current = await trx.selectFrom('computers').selectAll().where(atHome(engine.node, row)).executeTakeFirst()
    if (!current) throw await notAtHome(trx, engine.node, { home: row, row, doing })
    await setSize(trx, current, to)
    if (to === from) return
    await appendEvent(trx, {
      accountId: row.account_id,
      computerId: row.id,
      type: 'computer.resized',
      actor,
      data: { from, to },
    })
  })
}

async function setSize(trx: Transaction<Database>, row: ComputerRow, size: Size): Promise<void> {
  const set = { memory_bytes: size.memoryBytes, disk_bytes: size.diskBytes, size_preset: size.preset }
  if (set.memory_bytes !== row.memory_bytes) await keepMemoryUse(trx, row)
  await trx
    .updateTable('computers')
    .set({ ...set, updated_at: Date.now() })
    .where('id', '=', row.id)
    .execute()
}

/** Throws `no_capacity` when this node has no room for what the computer gets in addition. */
async function assertRoomFor(
  engine: ComputersContext,
  trx: Transaction<Database>,
  row: ComputerRow,
  size: Size,
): Promise<void> {
  const { freeMemoryBytes, freeDiskBytes } = await capacityOf(engine, trx, row.id)
  const runs = row.state === 'running' || row.state === 'paused'
  if (runs && size.memoryBytes > row.memory_bytes) assertFits(doing, 'memory', size.memoryBytes, freeMemoryBytes)
  if (size.diskBytes > row.disk_bytes) assertFits(doing, 'storage', size.diskBytes, freeDiskBytes)
}
