import { setTimeout as delay } from 'node:timers/promises'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Ends what the former owner of a computer has open on it besides programs: connections by SSH and of access sessions,
 * watches of its files, subscriptions, and remembered previews.
 */
export function endAccess(
  engine: Pick<ComputersContext, 'liveEvents' | 'exposedPorts' | 'portWatch' | 'openSessions' | 'ssh'>,
  computerId: string,
): void {
  engine.exposedPorts.forget(computerId)
  engine.portWatch.forget(computerId)
  engine.openSessions.end({ computerId }, 'the computer belongs to another workspace now')
  engine.ssh.connections.endOf(computerId, 'the computer belongs to another workspace now')
  // For whoever listens, the computer is gone.
  engine.liveEvents.end({ type: 'computer.state', computerId, state: 'deleting', reason: 'transferred' })
}

/** Deletes the output and the records of a computer's ended processes: they are not for its new owner. */
export async function forgetProcesses(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'recorder'>,
  { id, accountId }: AccessibleComputer,
): Promise<void> {
  const ends = engine.driver.processesOn(id).map((process) => process.wait())
  // The records of a process whose end is late stay with the former owner.
  await Promise.race([Promise.all(ends), delay(maxWaitMs, undefined, { ref: false })])
  await engine.recorder.flush()
  const rows = await engine.db
    .selectFrom('processes')
    .select('id')
    .where('computer_id', '=', id)
    .where('account_id', '=', accountId)
    .execute()
  for (const row of rows) {
    await engine.driver.forget(row.id)
    await engine.db.deleteFrom('processes').where('id', '=', row.id).execute()
  }
}

const maxWaitMs = 5_000
