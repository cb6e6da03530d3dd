import type { ComputerRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'
import { ownComputer } from './own-computer.ts'

/**
 * Calls `work` inside a computer's lock, with the row as it is there; does nothing when the computer no longer runs
 * here.
 */
export function whileRunning(
  engine: Pick<Context, 'db' | 'node' | 'locks'>,
  id: string,
  work: (row: ComputerRow) => Promise<void>,
): Promise<void> {
  return engine.locks.computer(id, async () => {
    const row = await ownComputer(engine, id)
    if (row?.state === 'running') await work(row)
  })
}
