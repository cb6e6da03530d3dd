import { limits } from '../../../config/limits.ts'
import { chargeUsage } from './charge-usage.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Records and charges what was counted and closed. One at a time; what could not be written stays for the next one,
 * and is charged once even when it was written after all.
 */
export async function settleUsage(engine: MoneyContext): Promise<void> {
  await engine.locks.run('usage', async () => {
    const pieces = engine.meter.pending
    const marks = engine.meter.marks
    if (pieces.length === 0 && marks.length === 0) return
    await chargeUsage(engine, pieces, marks)
    engine.meter.recorded(pieces, marks)
  })
}

/** The same with what runs, up to now: each minute, so that a crash loses no more than that. */
export async function settleRunning(engine: MoneyContext): Promise<void> {
  engine.meter.cut()
  await settleUsage(engine)
}

/** The same for an account that asks what it used. However often it asks, it costs a record now and then. */
export async function settleAccount(engine: MoneyContext, accountId: string): Promise<void> {
  engine.meter.cut({ accountId, notForMs: limits.usageMaxAgeMs })
  await settleUsage(engine)
}

/** The same at once, however lately they were charged. */
export async function settleNow(engine: MoneyContext, accountIds: readonly string[]): Promise<void> {
  for (const accountId of accountIds) engine.meter.cut({ accountId, notForMs: 0 })
  await settleUsage(engine)
}
