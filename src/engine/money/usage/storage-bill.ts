import { sql } from 'kysely'
import { meterUnits } from '../../../config/price-book.ts'
import { periodStart } from '../credit/spending-limits.ts'
import { dayOf } from './usage-totals.ts'
import type { MoneyContext } from '../money.ts'

export interface StorageBill {
  /** The calendar month in UTC, in Unix milliseconds. */
  fromMs: number
  toMs: number
  /** Micro-dollars per GiB and hour, of running and of stopped computers. */
  hotMicros: number
  coldMicros: number
  /** From the beginning of the month to the last measurement. */
  gibHours: number
  amountMicros: number
}

/** Returns what an account's storage costs in the current month. */
export async function storageBill(
  { db, prices }: Pick<MoneyContext, 'db' | 'prices'>,
  accountId: string,
  now = Date.now(),
): Promise<StorageBill> {
  const fromMs = periodStart('month', now)
  const row = await db
    .selectFrom('usage_days')
    .select(({ fn }) => [
      sql<number>`sum(cast(quantity as double precision))`.as('quantity'),
      fn.sum<number>('amount_micros').as('amount'),
    ])
    .where('account_id', '=', accountId)
    .where('dimension', '=', 'all')
    .where('meter', 'in', ['storage_hot', 'storage_cold'])
    .where('day', '>=', dayOf(fromMs))
    .executeTakeFirst()
  const { perShown } = meterUnits.storage_hot
  const { storage_hot: hot, storage_cold: cold } = prices.meters
  return {
    fromMs,
    // 32 days later it is the next month, whatever the month.
    toMs: periodStart('month', fromMs + 32 * dayMs),
    hotMicros: (hot.micros * perShown) / hot.per,
    coldMicros: (cold.micros * perShown) / cold.per,
    gibHours: Number(row?.quantity ?? 0) / perShown,
    amountMicros: Number(row?.amount ?? 0),
  }
}

const dayMs = 86_400_000
