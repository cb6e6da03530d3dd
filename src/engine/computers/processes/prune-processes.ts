import { sql } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { readInWorker } from '../../../db/read-in-worker.ts'
import { keptBytesOf } from './output-retention.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Forgets ended processes with their output: those that are old, and the oldest of a computer that keeps too many, or of a computer,
 * an account or all that keep too much. Commands do not push out what was started to stay, as far as their number goes.
 */
export async function pruneProcesses(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'outputRetention'>,
): Promise<void> {
  const { db } = engine
  // All that is kept of everybody is counted beside the main thread.
  const [old, kept] = await readInWorker(db, 'server', [
    db
      .selectFrom('processes')
      .select('id')
      .where('state', '=', 'ended')
      .where('ended_at', '<', Date.now() - limits.endedProcessMs),
    db
      .selectFrom('processes')
      .select(({ fn }) => [
        'computer_id',
        'account_id',
        isBackground.as('background'),
        fn.countAll<number>().as('count'),
        keptBytes.as('bytes'),
      ])
      .where('state', '=', 'ended')
      .groupBy(['computer_id', 'account_id', isBackground]),
  ])
  const surplus = await Promise.all(
    kept
      .filter(({ count }) => Number(count) > limits.endedProcessesPerComputer)
      .map(({ computer_id, background, count }) =>
        oldest(engine, computer_id, background, Number(count) - limits.endedProcessesPerComputer),
      ),
  )
  engine.outputRetention.reset(kept.map(({ bytes, ...whose }) => ({ ...whose, bytes: Number(bytes) })))
  for (const { id } of [...old, ...surplus.flat()]) await forget(engine, id)
  await pruneOutput(engine)
}

/** Forgets the oldest of whoever keeps too much. */
export async function pruneOutput(engine: Pick<ComputersContext, 'db' | 'driver' | 'outputRetention'>): Promise<void> {
  for (let over = engine.outputRetention.surplus(); over; over = engine.outputRetention.surplus()) {
    const rows = await engine.db
      .selectFrom('processes')
      .select(['id', 'kept_bytes', 'output_bytes'])
      .where(over.column, '=', over.id)
      .where('state', '=', 'ended')
      .orderBy('ended_at')
      .limit(deletedRowsAtOnce)
      .execute()
    // What was counted is not there: the next look at all of it corrects that.
    if (rows.length === 0) return
    let freed = 0
    for (const row of rows) {
      if (freed >= over.bytes) break
      await forget(engine, row.id)
      freed += keptBytesOf(row)
    }
  }
}

async function forget(engine: Pick<ComputersContext, 'db' | 'driver' | 'outputRetention'>, id: string): Promise<void> {
  await engine.driver.forget(id)
  const row = await engine.db.deleteFrom('processes').where('id', '=', id).returningAll().executeTakeFirst()
  if (row) engine.outputRetention.add({ ...row, bytes: -keptBytesOf(row) })
}

function oldest(
  engine: Pick<Context, 'db'>,
  computerId: string,
  background: number,
  count: number,
): Promise<{ id: string }[]> {
  return engine.db
    .selectFrom('processes')
    .select('id')
    .where('computer_id', '=', computerId)
    .where('state', '=', 'ended')
    .where(isBackground, '=', background)
    .orderBy('ended_at')
    .limit(count)
    .execute()
}

const isBackground = sql<number>`kind = 'background'`
/** What `keptBytesOf` says, of all rows together. */
const keptBytes = sql<number>`sum(coalesce(kept_bytes, min(output_bytes, ${sql.lit(limits.keptOutputBytes)})) + ${sql.lit(limits.processRecordBytes)})`
const deletedRowsAtOnce = 100

/** After a start: removes output whose process was never recorded, nor is known to the driver. */
export async function forgetUnrecorded(engine: Pick<Context, 'db' | 'driver'>): Promise<void> {
  const rows = await engine.db.selectFrom('processes').select('id').execute()
  const known = new Set([...rows.map(({ id }) => id), ...engine.driver.processes().map(({ processId }) => processId)])
  for (const id of await engine.driver.retainedProcesses()) {
    if (!known.has(id)) await engine.driver.forget(id)
  }
}
