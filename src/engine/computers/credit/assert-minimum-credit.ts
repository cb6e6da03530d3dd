import { limits } from '../../../config/limits.ts'
import type { Caller } from '../../caller.ts'
import { priceUsage } from '../../money/usage/price-usage.ts'
import { assertCredit } from './assert-credit.ts'
import { creditLeft } from '../../money/credit/credit-left.ts'
import { isUnbilled } from '../../money/credit/is-unbilled.ts'
import { outOfCredits } from '../../money/credit/out-of-credits.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Throws `out_of_credits` when an account's credit does not last for the first 15 minutes of a streaming computer, as a
 * session that ends before a client is connected is of no use; otherwise throws as `assertCredit` does.
 */
export async function assertMinimumCredit(engine: ComputersContext, caller: Caller): Promise<void> {
  if (!isUnbilled(engine, caller.accountId)) {
    const { amountMicros: minimumMicros } = priceUsage(
      limits.streamingMinimumMs,
      engine.prices.meters.compute,
      undefined,
    )
    const leftMicros = await creditLeft(engine, caller.accountId)
    if (leftMicros + engine.prices.overdraftMicros < minimumMicros)
      throw outOfCredits(engine, 'Cannot start streaming: the credit does not last for 15 minutes', leftMicros, {
        minimumMicros,
      })
  }
  await assertCredit(engine, caller)
}
