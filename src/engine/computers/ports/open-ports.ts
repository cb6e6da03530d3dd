import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import type { OpenPort } from '../live-events.ts'

/** Returns the ports on which programs of a computer listen now, ascending; none when the computer does not run. */
export function openPorts(
  { portWatch }: Pick<ComputersContext, 'portWatch'>,
  { id }: AccessibleComputer,
): Promise<OpenPort[]> {
  return portWatch.scan(id)
}
