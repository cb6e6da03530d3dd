import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Context } from '../../context.ts'
import { isOfCaller } from './process-meta.ts'

/**
 * Returns the name that the caller of a computer's process gave it, or its id; undefined for a process that the caller
 * has not started, such as a kernel.
 */
export function processName(
  { driver }: Pick<Context, 'driver'>,
  { id: computerId }: AccessibleComputer,
  processId: string,
): string | undefined {
  const process = driver.process(processId)
  if (process?.computerId !== computerId || !isOfCaller(process)) return undefined
  return String(process.meta.name)
}
