import { limits } from '../../../config/limits.ts'
import type { Caller, Engine } from '../../engine.ts'
import { priceUsage } from '../usage/price-usage.ts'
import { assertCredit } from '../../computers/credit/assert-credit.ts'
import { creditLeft } from './credit-left.ts'
import { isUnbilled } from './is-unbilled.ts'
import { outOfCredits } from './out-of-credits.ts'

/**
 * Rejects with `out_of_credits` when an account's credit does not last for the first 15 minutes of a streaming computer, and
 * as `assertCredit` does otherwise: a session that ends before somebody is connected helps nobody.
 */
export async function assertMinimumCredit(engine: Engine, caller: Caller): Promise<void> {
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
