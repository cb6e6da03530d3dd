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
 * Looks, more often than it is charged, whether what runs is still paid for: where the credit does not cover what ran since
 * the last charge, it is stopped and that is charged. The same for what is over a spending limit.
 */
export async function watchCredit(engine: ComputersContext): Promise<void> {
  await findOrphaned(engine)
  await endUnpaid(engine, engine.meter.spendingAccounts())
  await endOverLimits(engine, engine.meter.activeAccounts())
}

/**
 * The same, each second, for work that was not started here. Such work may rest at most looks, so it is ended in the moment in which it is found, and
 * not when it happens to be found again.
 */
export async function watchUnattended(engine: ComputersContext): Promise<void> {
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

/** The same for one account, whose credit may have ended or become little. */
export async function watchAccount(engine: ComputersContext, accountId: string): Promise<void> {
  await findOrphaned(engine, accountId)
  await endUnpaid(engine, [accountId])
}

/**
 * Stopping comes first: a charge takes as long as the disk does, and all run on meanwhile. Who falls below the low balance is
 * charged in that moment, which warns him: at the next charge nothing might be left.
 */
async function endUnpaid(engine: ComputersContext, accountIds: string[]): Promise<void> {
  const billed = accountIds.filter((accountId) => !isUnbilled(engine, accountId))
  const left = await leftOf(engine, billed)
  const empty = billed.filter(
    (accountId) => left.get(accountId)!.leftMicros <= 0 && engine.meter.spending(accountId).certain > 0,
  )
  await Promise.all(empty.map((accountId) => stopUnpaid(engine, accountId, { why: 'out_of_credits' })))
  for (const [accountId, { leftMicros }] of left)
    if (leftMicros > 0) engine.creditClock.set(accountId, creditUntilThreshold(engine.prices, leftMicros))
  const unwarned = billed.filter((accountId) => left.get(accountId)!.isUnwarned)
  if (empty.length > 0 || unwarned.length > 0) await settleNow(engine, [...new Set([...empty, ...unwarned])])
}

interface Left {
  /** With the overdraft. */
  leftMicros: number
  /** What was charged leaves more than the low balance, with what was not charged yet it is less. */
  isUnwarned: boolean
}

/** Not while a charge is written, or it would be counted twice. */
function leftOf(
  { db, locks, meter, prices }: Pick<ComputersContext, 'db' | 'locks' | 'prices' | 'meter'>,
  accountIds: string[],
): Promise<Map<string, Left>> {
  const { lowBalanceMicros, overdraftMicros } = prices
  return locks.run('usage', async () => {
    const balances = await balancesOf(db, accountIds)
    return new Map(
      accountIds.map((accountId) => {
        const balanceMicros = balances.get(accountId)!
        const running = priceUsage(meter.unrecordedMs(accountId), prices.meters.compute, undefined)
        const afterMicros = balanceMicros - running.amountMicros
        const isUnwarned = balanceMicros > lowBalanceMicros && afterMicros <= lowBalanceMicros
        return [accountId, { leftMicros: afterMicros + overdraftMicros, isUnwarned }]
      }),
    )
  })
}
