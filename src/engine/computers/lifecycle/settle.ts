import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { closeLostUsage } from '../../money/usage/metered.ts'
import { destroyComputer } from './destroy.ts'
import { ownComputer } from './own-computer.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Corrects the recorded state of a computer to the true one: running or not; one that belongs to nobody and does not run
 * is deleted. The caller holds the computer's lock, and nothing else works on the computer. `reason` is recorded for a
 * computer that no longer runs; by default that of the stop under way, `interrupted` for a start that was cut off, and
 * `lost` for a computer that ran.
 */
export async function settle(
  engine: ComputersContext,
  row: ComputerRow,
  running: boolean,
  reason = reasonOf(row),
): Promise<void> {
  if (row.state === 'deleting') return destroyComputer(engine, row.id, 'server', 'interrupted')
  if (running) {
    if (row.state !== 'running' && row.state !== 'paused')
      await transition(engine, row, { from: [row.state], to: 'running', actor: 'server', reason: 'taken back' })
    return
  }
  if (row.state === 'stopped' || row.state === 'failed') return
  if (row.account_id === null) return destroyComputer(engine, row.id, 'server', reason)
  if (!policyOf(row).keepsFiles) await engine.driver.destroy(row.id)
  await closeLostUsage(engine, row.id)
  await transition(engine, row, { from: [row.state], to: 'stopped', actor: 'server', reason })
}

function reasonOf({ state, state_reason: reason }: ComputerRow): string | undefined {
  if (state === 'stopping') return reason ?? undefined
  return state === 'running' || state === 'paused' ? 'lost' : 'interrupted'
}

/** Settles a computer of this node by its id alone, after an action on it failed. */
export async function settleById(engine: ComputersContext, id: string, reason?: string): Promise<void> {
  const row = await ownComputer(engine, id)
  if (row) await settle(engine, row, await isRunning(engine, id), reason)
}

async function isRunning(engine: Pick<Context, 'driver'>, computerId: string): Promise<boolean> {
  return (await engine.driver.get(computerId))?.running === true
}
