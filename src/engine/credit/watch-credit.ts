import type { Engine } from '../engine.ts'
import { balancesOf } from '../ledger/balance.ts'
import { priceUsage } from '../usage/price-usage.ts'
import { settleAccount, settleRunning } from '../usage/settle-usage.ts'
import { isUnbilled } from './is-unbilled.ts'
import { limitsOf, reachedLimit } from './spending-limits.ts'
import { stopUnpaid } from './stop-unpaid.ts'

/**
 * Looks, more often than it is charged, whether what runs is still paid for: where the credit does not cover what ran since
 * the last charge, that is charged now and the rest is stopped. The same for what is over a spending limit.
 */
export async function watchCredit(engine: Engine): Promise<void> {
  await engine.leftBehind.look(engine)
  const active = engine.meter.activeAccounts()
  const billed = active.filter((accountId) => !isUnbilled(engine, accountId))
  const empty = await emptyOnes(engine, billed)
  if (empty.length > 0) await settleRunning(engine)
  for (const accountId of await emptyOnes(engine, empty)) await stopUnpaid(engine, accountId)
  for (const { account_id: accountId, token_id: tokenId } of await limitsOf(engine.db, active)) {
    await settleAccount(engine, accountId)
    if (await reachedLimit(engine, accountId, tokenId)) await stopUnpaid(engine, accountId, tokenId || undefined)
  }
}

async function emptyOnes({ db, meter, prices }: Engine, accountIds: string[]): Promise<string[]> {
  const balances = await balancesOf(db, accountIds)
  return accountIds.filter((accountId) => {
    const running = priceUsage(meter.unrecordedMs(accountId), prices.meters.compute, undefined)
    return balances.get(accountId)! + prices.overdraftMicros - running.amountMicros <= 0
  })
}
