import { balanceOf } from '../ledger/balance.ts'
import { grantFirstCredit } from '../ledger/grant.ts'
import { priceUsage } from '../usage/price-usage.ts'
import { isUnbilled } from './is-unbilled.ts'
import type { CreditContext } from '../money.ts'

/** Returns what an account has left in micro-dollars, less running usage that is not charged yet. */
export async function creditLeft(engine: CreditContext, accountId: string): Promise<number> {
  const { db, credit, meter, prices } = engine
  if (!credit.isOpened(accountId)) {
    // The account can have been created in the database, without the server.
    await grantFirstCredit(db, [accountId], prices)
    credit.markOpened(accountId)
  }
  const balanceMicros = await balanceOf(db, accountId)
  if (isUnbilled(engine, accountId)) return balanceMicros
  credit.update(accountId, balanceMicros)
  const running = priceUsage(meter.unrecordedMs(accountId), prices.meters.compute, undefined)
  // Usage beyond the overdraft is written off when it is charged.
  return Math.max(balanceMicros - running.amountMicros, -prices.overdraftMicros)
}
