import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { destroyComputer } from '../lifecycle/destroy.ts'

/** Deletes a computer and its files, whatever its state. `reason` is recorded. */
export function removeComputer(
  engine: ComputersContext,
  { id, caller }: AccessibleComputer<'manage'>,
  reason: string,
): Promise<void> {
  return engine.locks.computer(id, () => destroyComputer(engine, id, caller.tokenId, reason))
}
