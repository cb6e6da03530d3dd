import type { Kysely } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, Meter } from '../../../db/schema.ts'
import { creditOf, heldOf } from './books.ts'
import { postTransactions } from './post.ts'

export interface Hold {
  /** Chosen by the caller, one for each piece of work. */
  id: string
  accountId: string
  meter: Meter
  /** The maximum that the work is expected to cost; above 0. */
  amountMicros: number
}

/**
 * Reserves credit for work that begins. Throws `out_of_credits` when there is too little. Placing the same hold again
 * does nothing.
 */
export function placeHold(db: Kysely<Database>, prices: PriceBook, hold: Hold): Promise<void> {
  const { id, accountId, meter, amountMicros } = hold
  return transaction(db, 'durable', async (trx) => {
    const entries = [
      { book: creditOf(accountId), amountMicros: -amountMicros },
      { book: heldOf(accountId), amountMicros },
    ]
    const posting = { key: `hold:${id}`, kind: 'hold' as const, accountId, entries, data: { meter } }
    const { posted } = await postTransactions(trx, [posting], prices.overdraftMicros)
    if (!posted[0]!.isNew) return
    await trx
      .insertInto('ledger_holds')
      .values({
        id,
        account_id: accountId,
        meter,
        amount_micros: amountMicros,
        created_at: Date.now(),
        settled_at: null,
      })
      .execute()
  })
}
