import { sql } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../engine.ts'

/** Forgets ended processes that are old, or more than a computer keeps, with their output. Commands do not push out what was started to stay. */
export async function pruneProcesses(engine: Engine): Promise<void> {
  const old = await engine.db
    .selectFrom('processes')
    .select('id')
    .where('state', '=', 'ended')
    .where('ended_at', '<', Date.now() - limits.endedProcessMs)
    .execute()
  const crowded = await engine.db
    .selectFrom('processes')
    .select(({ fn }) => ['computer_id', isBackground.as('background'), fn.countAll<number>().as('count')])
    .where('state', '=', 'ended')
    .groupBy(['computer_id', isBackground])
    .having(({ fn }) => fn.countAll(), '>', limits.endedProcessesPerComputer)
    .execute()
  const surplus = await Promise.all(
    crowded.map(({ computer_id, background, count }) =>
      oldest(engine, computer_id, background, Number(count) - limits.endedProcessesPerComputer),
    ),
  )
  for (const { id } of [...old, ...surplus.flat()]) {
    await engine.driver.forget(id)
    await engine.db.deleteFrom('processes').where('id', '=', id).execute()
  }
}

function oldest(engine: Engine, computerId: string, background: number, count: number): Promise<{ id: string }[]> {
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

/** After a start: removes output whose process was never recorded, nor is known to the driver. */
export async function forgetUnrecorded(engine: Engine): Promise<void> {
  const rows = await engine.db.selectFrom('processes').select('id').execute()
  const known = new Set([...rows.map(({ id }) => id), ...engine.driver.processes().map(({ processId }) => processId)])
  for (const id of await engine.driver.keptProcesses()) {
    if (!known.has(id)) await engine.driver.forget(id)
  }
}
