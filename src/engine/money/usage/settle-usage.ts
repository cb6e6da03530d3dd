import { limits } from '../../../config/limits.ts'
import { chargeUsage } from './charge-usage.ts'
import type { PostingContext } from '../money.ts'

/**
 * Records and charges the intervals that are cut. Runs one at a time. What cannot be written stays for the next run,
 * and is charged once even if it was written after all.
 */
export async function settleUsage(engine: PostingContext): Promise<void> {
  await engine.locks.usage(async () => {
    const intervals = engine.meter.pending
    const snapshots = engine.meter.snapshots
    if (intervals.length === 0 && snapshots.length === 0) return
    await chargeUsage(engine, intervals, snapshots)
    engine.meter.recorded(intervals, snapshots)
  })
}

/** Cuts the usage of running computers, and records it: each minute, so that a crash loses at most a minute. */
export async function settleRunning(engine: PostingContext): Promise<void> {
  engine.meter.cut()
  await settleUsage(engine)
}

/** Records the usage of an account that asks for it. However often it asks, only `limits.usageMaxAgeMs` apart. */
export async function settleAccount(engine: PostingContext, accountId: string): Promise<void> {
  engine.meter.cut({ accountId, notForMs: limits.usageMaxAgeMs })
  await settleUsage(engine)
}

/** Records the usage of accounts at once, however recently it was recorded. */
export async function settleNow(engine: PostingContext, accountIds: readonly string[]): Promise<void> {
  for (const accountId of accountIds) engine.meter.cut({ accountId, notForMs: 0 })
  await settleUsage(engine)
}
