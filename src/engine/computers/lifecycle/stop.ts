import { limits } from '../../../config/limits.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { settleById } from './settle.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Stops a running computer; the files of an ephemeral one go with it. The caller holds the computer's lock. When the
 * driver fails, the computer's state is what is true of it then, and the failure is handed on.
 * `actor` is who asked: a token, or `lease` with the reason `idle` or `expired`.
 */
export async function stopComputer(
  engine: ComputersContext,
  row: ComputerRow,
  actor: string,
  reason?: string,
): Promise<void> {
  await transition(engine, row.id, { from: ['running', 'paused'], to: 'stopping', actor, reason })
  engine.meter.ending(row.id)
  try {
    await engine.driver.stop(row.id, limits.stopGraceMs)
    if (row.ephemeral) await engine.driver.destroy(row.id)
  } catch (error) {
    engine.meter.goesOn(row.id)
    await settleById(engine, row.id, reason).catch((cause: unknown) =>
      engine.log.error({ err: cause, computer: row.id }, 'cannot settle a computer; will try again'),
    )
    throw error
  }
  await closeUsage(engine, row.id)
  await transition(engine, row.id, { from: ['stopping'], to: 'stopped', actor, reason })
  engine.activity.forget(row.id)
}
