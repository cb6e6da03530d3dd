import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { isOfCaller } from '../processes/process-meta.ts'
import { destroyComputer } from './destroy.ts'
import { stopComputer } from './stop.ts'
import { whileRunning } from './while-running.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Ends computers whose lease is over: stops those that were not used for their idle time, and deletes those past their
 * time to live. Running processes and open requests are use. Each computer is checked again inside its lock, so that a
 * request that arrives at the same time wins.
 */
export async function sweepLeases(engine: ComputersContext): Promise<void> {
  const rows = await engine.db
    .selectFrom('computers')
    .selectAll()
    .where('node_id', '=', engine.node.id)
    .where('state', '=', 'running')
    .where('account_id', 'is not', null)
    .execute()
  for (const { id } of rows.filter((row) => endOfLease(engine, row))) {
    await whileRunning(engine, id, async (row) => {
      const why = endOfLease(engine, row)
      if (!why) return
      if (!engine.activity.beginEnding(id) && why === 'idle') return
      try {
        if (why === 'expired') await destroyComputer(engine, id, 'lease', why)
        else await stopComputer(engine, row, 'lease', why)
      } catch (error) {
        // The other leases end all the same; a later sweep retries this one.
        engine.log.error({ err: error, computer: id }, 'cannot end a computer whose lease is over')
      } finally {
        engine.activity.ended(id)
      }
    })
  }
}

/**
 * Returns whether a process runs in a computer. A kernel does not count, as it waits for calls as long as its computer
 * runs: only a call is use.
 */
function isBusy({ driver }: Pick<Context, 'driver'>, computerId: string): boolean {
  return driver.processesOn(computerId).some((process) => !process.exit && isOfCaller(process))
}

function endOfLease(
  engine: Pick<ComputersContext, 'driver' | 'settings' | 'credit' | 'activity'>,
  row: ComputerRow,
): 'idle' | 'expired' | undefined {
  const now = Date.now()
  if (row.expires_at !== null && row.expires_at <= now) return 'expired'
  const policy = policyOf(row)
  const idleTimeoutMs = policy.idleTimeoutMs(row, engine.settings)
  if (idleTimeoutMs === null || engine.activity.inUse(row.id)) return undefined
  if (isBusy(engine, row.id)) {
    engine.activity.touch(row.id)
    return undefined
  }
  const lastUsed = engine.activity.lastUsedAtMs(row.id)
  if (lastUsed === undefined) {
    // Uses before this server started are unknown: the idle time begins now.
    engine.activity.touch(row.id)
    return undefined
  }
  const graceMs = engine.credit.isEmpty(row.account_id!) ? policy.unpaidGraceMs : 0
  return now - lastUsed >= idleTimeoutMs + graceMs ? 'idle' : undefined
}
