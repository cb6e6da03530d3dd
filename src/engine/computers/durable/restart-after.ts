import type { ComputerRow } from '../../../db/schema.ts'
import type { ComputersContext } from '../computers.ts'
import { ownComputer } from '../lifecycle/own-computer.ts'
import { startComputer } from '../lifecycle/start.ts'
import { stopComputer } from '../lifecycle/stop.ts'

/** Stops a running computer for a change that it cannot go on through. Does nothing when it does not run. */
export async function stopFor(
  engine: ComputersContext,
  row: ComputerRow,
  actor: string,
  reason: 'resize' | 'restore',
): Promise<void> {
  if (row.state === 'running' || row.state === 'paused') await stopComputer(engine, row, actor, reason)
}

/**
 * Starts a computer again that was stopped for a change, by this server or by one that was ended meanwhile. Does nothing
 * when it runs, or stopped for any other reason. The caller holds its lock.
 */
export async function restartAfter(
  engine: ComputersContext,
  id: string,
  actor: string,
  reason: 'resize' | 'restore',
): Promise<void> {
  const row = await ownComputer(engine, id)
  const isOurs = row?.state_reason === reason || row?.state_reason === 'interrupted'
  if (row?.state === 'stopped' && isOurs) await startComputer(engine, row, actor)
}
