import type { Engine } from '../engine.ts'

/**
 * After a start: takes back the processes that went on, records those that ended meanwhile, and marks as lost those
 * of which nothing can be known.
 */
export async function recoverProcesses(engine: Engine): Promise<void> {
  for (const process of engine.driver.processes()) {
    if (!process.exit) {
      await engine.recorder.started(process)
      engine.portWatch.watch(process)
    }
    engine.attendance.leftAlone(process)
    void process.wait().then((exit) => {
      engine.meter.ended(process.computerId, process.processId)
      engine.recorder.ended(process, exit)
    })
  }
  await engine.recorder.flush()
  const known = new Set(engine.driver.processes().map(({ processId }) => processId))
  const running = await engine.db.selectFrom('processes').selectAll().where('state', '=', 'running').execute()
  for (const row of running.filter(({ id }) => !known.has(id))) {
    const recorded = engine.driver.process(row.id)
    if (recorded?.exit) engine.recorder.ended(recorded, recorded.exit)
    else
      await engine.db
        .updateTable('processes')
        .set({ state: 'ended', reason: 'lost', ended_at: Date.now() })
        .where('id', '=', row.id)
        .execute()
  }
  await engine.recorder.flush()
}
