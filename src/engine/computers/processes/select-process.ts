import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { isOfCaller } from './process-meta.ts'

/** A process by its id inside the computer, or by the name that its caller gave it. */
export type ProcessSelector = { pid: number } | { name: string }

/** Returns a running process of a computer. Throws `not_found`, also for a kernel. */
export function runningProcess(
  { driver }: Pick<Context, 'driver'>,
  { id }: AccessibleComputer<'run'>,
  selector: ProcessSelector,
): ProcessHandle {
  const found = driver.processesOn(id).findLast((process) => !process.exit && isMeant(process, selector))
  if (found) return found
  throw noProcess(selector, 'the computer runs no such process')
}

/**
 * Returns a running process, or the newest one of this run of the computer that has ended and whose output is kept.
 * Throws `not_found`.
 */
export async function keptProcess(
  engine: Pick<Context, 'db' | 'driver'>,
  computer: AccessibleComputer<'run'>,
  selector: ProcessSelector,
): Promise<ProcessHandle> {
  const known = engine.driver.processesOn(computer.id).filter((process) => isMeant(process, selector))
  const live = known.findLast(({ exit }) => !exit) ?? known.at(-1)
  if (live) return live
  const row = await engine.db
    .selectFrom('processes')
    .select('id')
    .where('computer_id', '=', computer.id)
    .where('kind', '!=', 'kernel')
    .where('started_at', '>=', computer.row.started_at ?? 0)
    .where((eb) => ('pid' in selector ? eb('pid', '=', selector.pid) : eb('name', '=', selector.name)))
    .orderBy('started_at', 'desc')
    .executeTakeFirst()
  const kept = row && engine.driver.process(row.id)
  if (kept) return kept
  throw noProcess(selector, 'none runs, and no output of one is kept')
}

function isMeant(process: ProcessHandle, selector: ProcessSelector): boolean {
  if (!isOfCaller(process)) return false
  return 'pid' in selector ? process.pid === selector.pid : process.meta.name === selector.name
}

function noProcess(selector: ProcessSelector, reason: string): CarrelError {
  const shown = 'pid' in selector ? `of the pid ${selector.pid}` : JSON.stringify(selector.name.slice(0, 128))
  return new CarrelError('not_found', `Cannot find process ${shown}: ${reason}`)
}
