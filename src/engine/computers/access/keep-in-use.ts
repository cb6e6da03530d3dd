import type { AccessibleComputer } from './open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import type { AccessiblePort } from '../ports/find-exposed.ts'

/**
 * Counts a computer as used, without starting it, until the returned function is called: its idle time does not run.
 */
export function keepInUse(
  { activity }: Pick<ComputersContext, 'activity'>,
  used: AccessibleComputer | AccessiblePort,
): () => void {
  return activity.begin('computerId' in used ? used.computerId : used.id)
}
