import { limits } from '../../../config/limits.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { settleById } from './settle.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Stops a running computer, and deletes its files unless its kind keeps them. The caller holds the computer's lock.
 * When the driver fails, the recorded state is set to the true one, and the driver's error is thrown.
 *
 * @param actor a token's id, or `lease` with the reason `idle` or `expired`
 */
export async function stopComputer(
  engine: ComputersContext,
  row: ComputerRow,
  actor: string,
  reason?: string,
): Promise<void> {
  await transition(engine, row, { from: ['running', 'paused'], to: 'stopping', actor, reason })
  engine.meter.stopping(row.id)
  try {
    await engine.driver.stop(row.id, limits.stopGraceMs)
    if (!policyOf(row).keepsFiles) await engine.driver.destroy(row.id)
  } catch (error) {
    engine.meter.stopFailed(row.id)
    await settleById(engine, row.id, reason).catch((cause: unknown) =>
      engine.log.error({ err: cause, computer: row.id }, 'cannot reconcile a computer; will try again'),
    )
    throw error
  }
  await closeUsage(engine, row.id)
  await transition(engine, row, { from: ['stopping'], to: 'stopped', actor, reason })
  engine.activity.forget(row.id)
}
