import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { destroyComputer } from './destroy.ts'
import { settle, settleById } from './settle.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Brings what is recorded and what really runs together, after a start of the server: what nothing owns is removed,
 * what was interrupted is finished or undone, what went on is taken back. What cannot be settled is told and left for
 * later: one computer that is stuck must not keep the server from starting.
 */
export async function reconcile(engine: ComputersContext): Promise<void> {
  const rows = await engine.db.selectFrom('computers').selectAll().execute()
  const existing = new Map((await engine.driver.list()).map((computer) => [computer.id, computer]))
  const known = new Set(rows.map(({ id }) => id))
  const unknown = [...existing.keys()].filter((id) => !known.has(id))
  // A database that knows none of them is an old copy sooner than one that forgot them all: nothing is removed on its word.
  if (unknown.length > 0 && unknown.length === existing.size)
    engine.log.error(
      { computers: unknown.length },
      'the database knows none of the computers that there are: they are left as they are; stop the server and put back the right one, or the next start removes them',
    )
  else for (const id of unknown) await orLater(engine, id, () => engine.driver.destroy(id))
  for (const row of rows) {
    const running = existing.get(row.id)?.running ?? false
    const isWarm = row.account_id === null && row.state !== 'deleting'
    await orLater(engine, row.id, () => (isWarm ? settleWarm(engine, row, running) : settle(engine, row, running)))
  }
}

async function orLater(engine: Pick<Context, 'log'>, id: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) =>
    engine.log.error({ err: error, computer: id }, 'cannot settle a computer; will try again'),
  )
}

/**
 * The same while the server runs, for accounts' computers that a failure left in a state that is not true: one that is
 * being stopped or deleted and nothing works on it, or one that is said to run and does not.
 */
export async function settleUntrue(engine: ComputersContext): Promise<void> {
  const running = new Set((await engine.driver.list()).flatMap((computer) => (computer.running ? [computer.id] : [])))
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'state'])
    .where('account_id', 'is not', null)
    .where('state', 'in', ['running', 'paused', 'stopping', 'deleting'])
    .execute()
  for (const { id } of rows.filter((row) => isUntrue(row.state, running.has(row.id)))) {
    // Whoever works on a computer holds its lock, so what is still so inside it is nobody's.
    await orLater(engine, id, () => engine.locks.run(id, () => settleById(engine, id)))
  }
}

function isUntrue(state: ComputerState, running: boolean): boolean {
  return state === 'stopping' || state === 'deleting' || !running
}

async function settleWarm(engine: ComputersContext, row: ComputerRow, running: boolean): Promise<void> {
  if (
    running &&
    row.state === 'running' &&
    isAsNew(engine, row) &&
    engine.warmPool.ready < engine.settings.warmComputers
  )
    engine.warmPool.adopt(row.id)
  else await destroyComputer(engine, row.id, 'server', 'not needed')
}

/** Whether a new one would be the same: the settings may be others since. */
function isAsNew(
  { defaultImage, settings }: Pick<ComputersContext, 'settings' | 'defaultImage'>,
  row: ComputerRow,
): boolean {
  return (
    row.image === defaultImage.id &&
    row.cpus === settings.computerCpus &&
    row.memory_bytes === settings.computerMemoryBytes &&
    row.disk_bytes === settings.computerDiskBytes &&
    row.pids === settings.computerPids
  )
}

/** A computer's first process ended without being asked to. */
export async function stoppedByItself(engine: ComputersContext, id: string, reason: string): Promise<void> {
  engine.warmPool.drop(id)
  await engine.locks.run(id, async () => {
    const row = await engine.db
      .selectFrom('computers')
      .selectAll()
      .where('id', '=', id)
      .where('state', 'in', ['running', 'paused'])
      .executeTakeFirst()
    if (!row) return
    if (row.account_id === null) return destroyComputer(engine, id, 'kernel', reason)
    if (!policyOf(row).keepsFiles) await engine.driver.destroy(id)
    await closeUsage(engine, id)
    await transition(engine, id, { from: ['running', 'paused'], to: 'stopped', actor: 'kernel', reason })
  })
}
