import { limits } from '../../../config/limits.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { findProcess } from './find-process.ts'
import { rowOf, type ProcessFacts } from './recorder.ts'
import { waitForExit } from './wait-for-exit.ts'
import type { Context } from '../../context.ts'

/**
 * Signals a process, found as `findProcess` finds it, and all its descendants. SIGTERM is followed by SIGKILL when the
 * process does not end in time. Resolves when the process has ended, or at once for other signals. A process that has
 * ended already is left as it is.
 */
export async function killProcess(
  engine: Pick<Context, 'db' | 'driver' | 'server'>,
  computer: AccessibleComputer<'run'>,
  idOrName: string,
  signal: NodeJS.Signals,
): Promise<ProcessFacts> {
  const row = await findProcess(engine, computer, idOrName)
  const handle = engine.driver.process(row.id)
  if (!handle || handle.exit) return handle ? rowOf(handle, handle.exit) : row
  await handle.kill(signal, 'tree')
  if (signal !== 'SIGTERM' && signal !== 'SIGKILL') return rowOf(handle, handle.exit)
  const forced = setTimeout(() => void handle.kill('SIGKILL', 'tree').catch(() => {}), limits.stopGraceMs)
  const exit = await waitForExit(engine.server, handle, Date.now() + limits.stopGraceMs).finally(() =>
    clearTimeout(forced),
  )
  if (signal === 'SIGTERM') await handle.kill('SIGKILL', 'tree').catch(() => {})
  return rowOf(handle, exit)
}
