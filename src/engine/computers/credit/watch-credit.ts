import { appendEvent } from '../../audit/append-event.ts'
import { balancesOf } from '../../money/ledger/balance.ts'
import { findOrphaned } from '../../money/usage/orphaned-processes.ts'
import { priceUsage } from '../../money/usage/price-usage.ts'
import { settleAccount, settleNow } from '../../money/usage/settle-usage.ts'
import { creditUntilThreshold } from '../../money/credit/credit-threshold.ts'
import { isUnbilled } from '../../money/credit/is-unbilled.ts'
import { limitedAccounts, reachedLimits, type LimitState } from '../../money/credit/spending-limits.ts'
import { stopUnpaid } from './stop-unpaid.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Checks, more often than use is charged, whether what runs is still paid for. Where the credit does not cover the use
 * since the last charge, stops what runs and charges the use. Does the same where a spending limit is reached.
 */
export async function watchCredit(engine: ComputersContext): Promise<void> {
  await findOrphaned(engine)
  await endUnpaid(engine, engine.meter.spendingAccounts())
  await endOverLimits(engine, engine.meter.activeAccounts())
}

/**
 * Checks the orphaned processes, each second. Such work may be at rest at most checks, so it is ended as soon as it is
 * found working, and not only when a later check finds it again.
 */
export async function watchOrphans(engine: ComputersContext): Promise<void> {
  await findOrphaned(engine)
  const accountIds = engine.meter.accountsWithOrphans()
  if (accountIds.length === 0) return
  await endUnpaid(engine, accountIds)
  await endOverLimits(engine, accountIds)
}

async function endOverLimits(engine: ComputersContext, accountIds: string[]): Promise<void> {
  for (const accountId of await limitedAccounts(engine.db, accountIds)) await settleAccount(engine, accountId)
  for (const { accountId, ...limit } of await reachedLimits(engine.db, accountIds))
    await endOverLimit(engine, accountId, limit)
}

async function endOverLimit(engine: ComputersContext, accountId: string, limit: LimitState): Promise<void> {
  const { tokenId, period, limitMicros, spentMicros, resetsAtMs } = limit
  const hasEnded = await stopUnpaid(engine, accountId, { why: 'spending_limit', tokenId })
  if (!hasEnded) return
  const data = {
    keyId: tokenId ?? null,
    period,
    limitMicros,
    spentMicros,
    resetsAt: new Date(resetsAtMs).toISOString(),
  }
  await appendEvent(engine.db, { accountId, type: 'spending_limit.reached', actor: 'server', data })
}

/** Checks one account, whose credit may be used up or low. */
export async function watchAccount(engine: ComputersContext, accountId: string): Promise<void> {
  await findOrphaned(engine, accountId)
  await endUnpaid(engine, [accountId])
}

/**
 * Stops accounts without credit, then charges them. Stopping comes first, as a charge takes as long as the disk does,
 * and everything would run on meanwhile. An account that falls below the low balance is charged at once, which warns
 * its users: at the next charge nothing might be left.
 */
async function endUnpaid(engine: ComputersContext, accountIds: string[]): Promise<void> {
  const billed = accountIds.filter((accountId) => !isUnbilled(engine, accountId))
  const left = await availableCredit(engine, billed)
  const empty = billed.filter(
    (accountId) => left.get(accountId)!.leftMicros <= 0 && engine.meter.spending(accountId).certain > 0,
  )
  await Promise.all(empty.map((accountId) => stopUnpaid(engine, accountId, { why: 'out_of_credits' })))
  for (const [accountId, { leftMicros }] of left)
    if (leftMicros > 0) engine.creditClock.set(accountId, creditUntilThreshold(engine.prices, leftMicros))
  const newlyLow = billed.filter((accountId) => left.get(accountId)!.isNewlyLow)
  if (empty.length > 0 || newlyLow.length > 0) await settleNow(engine, [...new Set([...empty, ...newlyLow])])
}

interface AvailableCredit {
  /** Includes the overdraft. */
  leftMicros: number
  /**
   * True when the account is above the low balance by what was charged, and below it with the use that is not charged
   * yet.
   */
  isNewlyLow: boolean
}

/** Returns the credit of accounts. Waits while a charge is written, as its use would be counted twice. */
function availableCredit(
  { db, locks, meter, prices }: Pick<ComputersContext, 'db' | 'locks' | 'prices' | 'meter'>,
  accountIds: string[],
): Promise<Map<string, AvailableCredit>> {
  const { lowBalanceMicros, overdraftMicros } = prices
  return locks.usage(async () => {
    const balances = await balancesOf(db, accountIds)
    return new Map(
      accountIds.map((accountId) => {
        const balanceMicros = balances.get(accountId)!
        const running = priceUsage(meter.unrecordedMs(accountId), prices.meters.compute, undefined)
        const afterMicros = balanceMicros - running.amountMicros
        const isNewlyLow = balanceMicros > lowBalanceMicros && afterMicros <= lowBalanceMicros
        return [accountId, { leftMicros: afterMicros + overdraftMicros, isNewlyLow }]
      }),
    )
  })
}
