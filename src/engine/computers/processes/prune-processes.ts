import { sql } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { readMany } from '../../../db/read-many.ts'
import { unindexed } from '../../../db/unindexed.ts'
import { keptBytesOf } from './output-retention.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Deletes ended processes of this node with their output: those that are too old, those of deleted accounts, the oldest
 * of a computer that has too many, and the oldest of a computer, an account or the whole server whose output takes too
 * much space. Commands and background processes are counted apart, so that commands do not push out background
 * processes by their number.
 */
export async function pruneProcesses(
  engine: Pick<ComputersContext, 'db' | 'node' | 'driver' | 'outputRetention'>,
): Promise<void> {
  const { db, node } = engine
  // A worker thread counts what is kept, which covers the processes of all accounts.
  const [old, left, kept] = await readMany(db, 'server', [
    db
      .selectFrom('processes')
      .select('id')
      .where('node_id', '=', node.id)
      .where('state', '=', 'ended')
      .where('ended_at', '<', Date.now() - limits.endedProcessMs),
    // A process can end after another server has finished the deletion of its account.
    db
      .selectFrom('processes')
      .select('id')
      .where('node_id', '=', node.id)
      .where('state', '=', 'ended')
      .where('account_id', '<>', '')
      .where((eb) =>
        eb.not(eb.exists(eb.selectFrom('accounts').select('id').whereRef('accounts.id', '=', 'processes.account_id'))),
      ),
    db
      .selectFrom('processes')
      .select(({ fn }) => [
        'computer_id',
        'account_id',
        isBackground.as('background'),
        fn.countAll<number>().as('count'),
        keptBytes.as('bytes'),
      ])
      .where('node_id', '=', node.id)
      .where('state', '=', 'ended')
      .groupBy(['computer_id', 'account_id', isBackground]),
  ])
  const surplus = await Promise.all(
    kept
      .filter(({ count }) => Number(count) > limits.endedProcessesPerComputer)
      .map(({ computer_id, background, count }) =>
        oldestEnded(engine, computer_id, background, Number(count) - limits.endedProcessesPerComputer),
      ),
  )
  engine.outputRetention.reset(kept.map(({ bytes, ...owner }) => ({ ...owner, bytes: Number(bytes) })))
  for (const { id } of [...old, ...left, ...surplus.flat()]) await deleteProcess(engine, id)
  await pruneOutput(engine)
}

/** Deletes the oldest processes of each computer or account whose output takes too much space. */
export async function pruneOutput(
  engine: Pick<ComputersContext, 'db' | 'node' | 'driver' | 'outputRetention'>,
): Promise<void> {
  for (let over = engine.outputRetention.surplus(); over; over = engine.outputRetention.surplus()) {
    const rows = await engine.db
      .selectFrom('processes')
      .select(['id', 'kept_bytes', 'output_bytes'])
      .where(over.column, '=', over.id)
      .where(unindexed('node_id'), '=', engine.node.id)
      .where('state', '=', 'ended')
      .orderBy('ended_at')
      .limit(deletedRowsPerQuery)
      .execute()
    // The count is wrong: the next pass of `pruneProcesses` corrects it.
    if (rows.length === 0) return
    let freed = 0
    for (const row of rows) {
      if (freed >= over.bytes) break
      await deleteProcess(engine, row.id)
      freed += keptBytesOf(row)
    }
  }
}

async function deleteProcess(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'outputRetention'>,
  id: string,
): Promise<void> {
  await engine.driver.forget(id)
  const row = await engine.db.deleteFrom('processes').where('id', '=', id).returningAll().executeTakeFirst()
  if (row) engine.outputRetention.add({ ...row, bytes: -keptBytesOf(row) })
}

function oldestEnded(
  engine: Pick<Context, 'db' | 'node'>,
  computerId: string,
  background: number,
  count: number,
): Promise<{ id: string }[]> {
  return engine.db
    .selectFrom('processes')
    .select('id')
    .where('computer_id', '=', computerId)
    .where(unindexed('node_id'), '=', engine.node.id)
    .where('state', '=', 'ended')
    .where(isBackground, '=', background)
    .orderBy('ended_at')
    .limit(count)
    .execute()
}

const isBackground = sql<number>`case kind when 'background' then 1 else 0 end`
const maxKept = sql.lit(limits.keptOutputBytes)
/** The sum of `keptBytesOf` over all rows. `min` of two values is SQLite's alone. */
const keptBytes = sql<number>`sum(
  coalesce(kept_bytes, case when output_bytes < ${maxKept} then output_bytes else ${maxKept} end)
  + ${sql.lit(limits.processRecordBytes)})`
const deletedRowsPerQuery = 100

/** Deletes, when the server starts, output whose process is neither recorded on this node nor known to the driver. */
export async function forgetUnrecorded(engine: Pick<Context, 'db' | 'node' | 'driver'>): Promise<void> {
  const held = new Set(engine.driver.processes().map(({ processId }) => processId))
  let unheld: string[] = []
  for await (const id of engine.driver.retainedProcesses()) {
    if (held.has(id) || unheld.push(id) < forgottenAtOnce) continue
    await forgetUnrecordedOf(engine, unheld)
    unheld = []
  }
  await forgetUnrecordedOf(engine, unheld)
}

async function forgetUnrecordedOf(
  { db, node, driver }: Pick<Context, 'db' | 'node' | 'driver'>,
  ids: string[],
): Promise<void> {
  if (ids.length === 0) return
  const rows = await db
    .selectFrom('processes')
    .select('id')
    .where('id', 'in', ids)
    .where(unindexed('node_id'), '=', node.id)
    .execute()
  const recorded = new Set(rows.map(({ id }) => id))
  for (const id of ids) if (!recorded.has(id)) await driver.forget(id)
}

/** As many as one statement names. */
const forgottenAtOnce = 500
