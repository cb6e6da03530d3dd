import { limits } from '../../../config/limits.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { isOfCaller } from './process-meta.ts'
import { rowOf, type ProcessFacts } from './recorder.ts'
import type { Context } from '../../context.ts'

interface Options {
  /** Whether to include commands that were run to their end. */
  all: boolean
}

/**
 * Returns the processes that run on a computer, and the background processes that have ended and are still kept; oldest
 * first. Kernels are left out, as `findProcess` does not find them.
 */
export async function listProcesses(
  engine: Pick<Context, 'db' | 'driver'>,
  { id: computerId }: AccessibleComputer,
  { all }: Options,
): Promise<ProcessFacts[]> {
  const recorded = await engine.db
    .selectFrom('processes')
    .selectAll()
    .where('computer_id', '=', computerId)
    .where('kind', '!=', 'kernel')
    .where((eb) => (all ? eb.val(true) : eb.or([eb('kind', '=', 'background'), eb('state', '!=', 'ended')])))
    .orderBy('started_at', 'desc')
    .limit(2 * limits.endedProcessesPerComputer + limits.processesPerComputer)
    .execute()
  const rows = new Map<string, ProcessFacts>(recorded.map((row) => [row.id, row]))
  for (const live of engine.driver.processesOn(computerId)) {
    if (!isOfCaller(live)) continue
    const row = rowOf(live, live.exit)
    if (all || row.kind === 'background' || !live.exit) rows.set(row.id, row)
    else rows.delete(row.id)
  }
  return [...rows.values()].toSorted((a, b) => a.started_at - b.started_at)
}
