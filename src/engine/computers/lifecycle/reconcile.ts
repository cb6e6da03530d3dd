import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import { computerPages } from '../../../drivers/driver-pages.ts'
import type { ExistingComputer } from '../../../drivers/driver.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { destroyComputer } from './destroy.ts'
import { ownComputer } from './own-computer.ts'
import { settle, settleById } from './settle.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Reconciles the recorded computers of this node with those that really exist, when the server starts: deletes those
 * that nothing records, finishes or undoes what was interrupted, and continues with those that still run. A failure is
 * logged and retried later: one computer that is stuck must not keep the server from starting.
 */
export async function reconcile(engine: ComputersContext): Promise<void> {
  await destroyUnknown(engine)
  for await (const row of computerRows(engine)) {
    const running = (await engine.driver.get(row.id))?.running ?? false
    const isWarm = row.account_id === null && row.state !== 'deleting'
    await orLogFailure(engine, row.id, () => (isWarm ? settleWarm(engine, row, running) : settle(engine, row, running)))
  }
}

/**
 * Deletes the computers that nothing records. A database that knows none of the computers is more likely an old copy
 * than one that has lost them all, so it is no reason to delete them.
 */
async function destroyUnknown(engine: Pick<Context, 'db' | 'node' | 'driver' | 'log'>): Promise<void> {
  const unknown = await countUnknown(engine)
  if (unknown > 0)
    return engine.log.error(
      { computers: unknown },
      'the database knows none of the computers that exist, so none is deleted: stop the server and restore the right database, or the next start may delete them',
    )
  for await (const page of computerPages(engine.driver)) {
    for (const id of await unknownOf(engine, page)) await orLogFailure(engine, id, () => engine.driver.destroy(id))
    await reportForeign(engine, page)
  }
}

/**
 * Reports computers that are at home on another node. They are kept: what is here can be the only copy, if the database
 * is older than their last move.
 */
async function reportForeign(
  { db, node, log }: Pick<Context, 'db' | 'node' | 'log'>,
  computers: readonly ExistingComputer[],
): Promise<void> {
  for (const some of chunks(computers.map(({ id }) => id))) {
    const rows = await db
      .selectFrom('computers')
      .select(['id', 'node_id'])
      .where('id', 'in', some)
      .where('node_id', '!=', node.id)
      .execute()
    if (rows.length > 0)
      log.error({ computers: rows }, 'this data directory holds computers that are at home on another node')
  }
}

/** Returns how many computers exist when the database knows none of them, otherwise 0. */
async function countUnknown(engine: Pick<Context, 'db' | 'driver'>): Promise<number> {
  let count = 0
  for await (const page of computerPages(engine.driver)) {
    const unknown = await unknownOf(engine, page)
    if (unknown.length < page.length) return 0
    count += unknown.length
  }
  return count
}

/**
 * Returns the ids of those computers that the database does not know. The row of a computer is written before the
 * computer is created, so asking the database about computers that exist already finds the new ones too.
 */
async function unknownOf({ db }: Pick<Context, 'db'>, computers: readonly ExistingComputer[]): Promise<string[]> {
  const unknown = new Set(computers.map(({ id }) => id))
  for (const ids of chunks([...unknown])) {
    const rows = await db.selectFrom('computers').select('id').where('id', 'in', ids).execute()
    for (const { id } of rows) unknown.delete(id)
  }
  return [...unknown]
}

/** Yields the rows of this node's computers, reading a page of them at a time. */
async function* computerRows({ db, node }: Pick<Context, 'db' | 'node'>): AsyncGenerator<ComputerRow> {
  for (let after = '', isLast = false; !isLast;) {
    const rows = await db
      .selectFrom('computers')
      .selectAll()
      .where('node_id', '=', node.id)
      .where('id', '>', after)
      .orderBy('id')
      .limit(rowsPerPage)
      .execute()
    yield* rows
    after = rows.at(-1)?.id ?? after
    isLast = rows.length < rowsPerPage
  }
}

const rowsPerPage = 500

async function orLogFailure(engine: Pick<Context, 'log'>, id: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) =>
    engine.log.error({ err: error, computer: id }, 'cannot reconcile a computer; will try again'),
  )
}

/**
 * Reconciles computers while the server runs, where a failure left a recorded state that is not true: a computer that is
 * recorded as starting, stopping or deleting while nothing works on it, or one that is recorded as running and does not
 * run.
 */
export async function settleInconsistent(engine: ComputersContext): Promise<void> {
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'state'])
    .where('node_id', '=', engine.node.id)
    .where('state', 'in', ['running', 'paused', 'starting', 'stopping', 'deleting'])
    .execute()
  for (const { id, state } of rows) {
    if (!isInconsistent(state, (await engine.driver.get(id))?.running ?? false)) continue
    // Work on a computer holds its lock, so nothing works on a computer whose state is still not true inside the lock.
    await orLogFailure(engine, id, () => engine.locks.computer(id, () => settleById(engine, id)))
  }
}

function isInconsistent(state: ComputerState, running: boolean): boolean {
  return state === 'starting' || state === 'stopping' || state === 'deleting' || !running
}

async function settleWarm(engine: ComputersContext, row: ComputerRow, running: boolean): Promise<void> {
  if (
    running &&
    row.state === 'running' &&
    matchesDefaults(engine, row) &&
    engine.warmPool.ready < engine.settings.warmComputers
  )
    engine.warmPool.adopt(row.id)
  else await destroyComputer(engine, row.id, 'server', 'not needed')
}

/** Returns whether a new computer would be the same; the settings may have changed since this one was created. */
function matchesDefaults(
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

/** Records that a computer stopped because its first process ended without being asked to. */
export async function recordUnexpectedStop(engine: ComputersContext, id: string, reason: string): Promise<void> {
  engine.warmPool.drop(id)
  await engine.locks.computer(id, async () => {
    const row = await ownComputer(engine, id)
    if (row?.state !== 'running' && row?.state !== 'paused') return
    if (row.account_id === null) return destroyComputer(engine, id, 'kernel', reason)
    if (!policyOf(row).keepsFiles) await engine.driver.destroy(id)
    await closeUsage(engine, id)
    await transition(engine, row, { from: ['running', 'paused'], to: 'stopped', actor: 'kernel', reason })
  })
}
