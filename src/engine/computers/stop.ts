import { limits } from '../../config/limits.ts'
import type { ComputerRow } from '../../db/schema.ts'
import type { Engine } from '../engine.ts'
import { closeUsage } from '../usage/intervals.ts'
import { transition } from './transition.ts'

/**
 * Stops a running computer; the files of an ephemeral one go with it. The caller holds the computer's lock.
 * `actor` is who asked: a token, or `lease` with the reason `idle` or `expired`.
 */
export async function stopComputer(engine: Engine, row: ComputerRow, actor: string, reason?: string): Promise<void> {
  await transition(engine, row.id, { from: ['running', 'paused'], to: 'stopping', actor, reason })
  await engine.driver.stop(row.id, limits.stopGraceMs)
  if (row.ephemeral) await engine.driver.destroy(row.id)
  await closeUsage(engine.db, row.id, Date.now())
  await transition(engine, row.id, { from: ['stopping'], to: 'stopped', actor, reason })
  engine.activity.forget(row.id)
}
