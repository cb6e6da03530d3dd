import { limits } from '../../config/limits.ts'
import type { ProcessRow } from '../../db/schema.ts'
import type { Engine } from '../engine.ts'
import { rowOf } from './recorder.ts'

/** The processes of a computer that run or are kept, oldest first. */
export async function listProcesses(engine: Engine, accountId: string, computerId: string): Promise<ProcessRow[]> {
  const recorded = await engine.db
    .selectFrom('processes')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('computer_id', '=', computerId)
    .orderBy('started_at', 'desc')
    .limit(limits.endedProcessesPerComputer + limits.processesPerComputer)
    .execute()
  const rows = new Map(recorded.map((row) => [row.id, row]))
  for (const live of engine.driver.processes()) {
    if (live.computerId === computerId && live.meta.accountId === accountId)
      rows.set(live.processId, rowOf(live, live.exit))
  }
  return [...rows.values()].toSorted((a, b) => a.started_at - b.started_at)
}
