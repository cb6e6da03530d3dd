import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { stopComputer } from '../lifecycle/stop.ts'
import { whileRunning } from '../lifecycle/while-running.ts'

/**
 * Stops a computer for its owner, whatever uses it: its programs end, and the files of a sandbox are deleted. Does
 * nothing when the computer does not run.
 */
export function stopOnRequest(engine: ComputersContext, { id, caller }: AccessibleComputer<'manage'>): Promise<void> {
  return whileRunning(engine, id, async (row) => {
    engine.activity.beginEnding(id)
    try {
      await stopComputer(engine, row, caller.tokenId, 'requested')
    } finally {
      engine.activity.ended(id)
    }
  })
}
