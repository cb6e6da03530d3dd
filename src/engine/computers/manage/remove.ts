import { CarrelError } from '../../../errors.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { destroyComputer } from '../lifecycle/destroy.ts'

/**
 * Deletes a sandbox and its files, whatever its state. `reason` is recorded. Throws `conflict` for a computer that keeps
 * its files: a request that deletes it has to mean it.
 */
export async function removeSandbox(
  engine: ComputersContext,
  { id, row, caller }: AccessibleComputer<'manage'>,
  reason: string,
): Promise<void> {
  if (policyOf(row).keepsFiles)
    throw new CarrelError('conflict', 'Cannot delete the sandbox: it is a computer that keeps its files')
  await engine.locks.computer(id, () => destroyComputer(engine, id, caller.tokenId, reason))
}
