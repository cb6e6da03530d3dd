import type { ProcessHandle } from '../../../drivers/driver.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { findProcess } from './find-process.ts'

/**
 * Returns a process of a computer, found as `findProcess` finds it, so that the caller can follow its output, write to
 * it or signal it; undefined when its output is no longer kept. Throws `not_found`.
 */
export async function attachProcess(
  engine: Pick<Context, 'db' | 'driver'>,
  computer: AccessibleComputer<'run'>,
  idOrName: string,
): Promise<ProcessHandle | undefined> {
  return engine.driver.process((await findProcess(engine, computer, idOrName)).id)
}
