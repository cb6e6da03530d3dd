import type { Kysely } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { splitAmount, lockBalances } from './balance.ts'
import { creditOf, heldOf, revenueOf, writeOff } from './books.ts'
import { postTransactions, type Entry } from './post.ts'

/**
 * Ends a hold with the actual cost of the work: that is earned, the rest is released, all of it for zero. What the work
 * cost beyond the hold is taken from the credit as far as that suffices. Settling again with the same amount does
 * nothing. Throws `not_found` when there is no such hold, and `conflict` when it was settled with another amount.
 */
export function settleHold(db: Kysely<Database>, prices: PriceBook, id: string, actualMicros: number): Promise<void> {
  return transaction(db, 'durable', async (trx) => {
    const hold = await trx.selectFrom('ledger_holds').selectAll().where('id', '=', id).executeTakeFirst()
    if (!hold) throw new CarrelError('not_found', `Cannot settle hold "${id}": it does not exist`)
    const kind = actualMicros === 0 ? ('release' as const) : ('capture' as const)
    const key = `${kind}:${id}`
    const { numUpdatedRows } = await trx
      .updateTable('ledger_holds')
      .set({ settled_at: Date.now() })
      .where('id', '=', id)
      .where('settled_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) {
      const before = await trx
        .selectFrom('ledger_transactions')
        .select('data')
        .where('key', '=', key)
        .executeTakeFirst()
      const same = before && (JSON.parse(before.data) as { actualMicros: number }).actualMicros === actualMicros
      if (same) return
      throw new CarrelError('conflict', `Cannot settle hold "${id}": it was settled with another amount`)
    }
    const accountId = hold.account_id
    const heldMicros = Number(hold.amount_micros)
    const balance = (await lockBalances(trx, [accountId])).get(accountId)!
    const beyond = splitAmount(Math.max(0, actualMicros - heldMicros), balance, prices.overdraftMicros)
    const entries: Entry[] = [
      { book: heldOf(accountId), amountMicros: -heldMicros },
      { book: revenueOf(hold.meter), amountMicros: actualMicros },
      { book: creditOf(accountId), amountMicros: Math.max(0, heldMicros - actualMicros) - beyond.takenMicros },
      { book: writeOff, amountMicros: -beyond.shortMicros },
    ]
    const posting = {
      key,
      kind,
      accountId,
      entries: entries.filter(({ amountMicros }) => amountMicros !== 0),
      data: { meter: hold.meter, actualMicros },
    }
    await postTransactions(trx, [posting], prices.overdraftMicros)
  })
}
