import type { Kysely } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { splitAmount, lockBalances } from './balance.ts'
import { creditOf, writeOff, type Book } from './books.ts'
import { postTransactions, type Entry } from './post.ts'

/**
 * Undoes a charge, a grant or a refund by its opposite, once however often this is called; nothing that was recorded is
 * changed. What the account has spent already is written off. Throws `not_found` when there is no such transaction, and
 * `conflict` for one of another kind: payments are refunded and holds are settled.
 */
export function reverse(
  db: Kysely<Database>,
  prices: PriceBook,
  { key, reason }: { key: string; reason: string },
): Promise<{ isNew: boolean }> {
  return transaction(db, 'durable', async (trx) => {
    const row = await trx.selectFrom('ledger_transactions').selectAll().where('key', '=', key).executeTakeFirst()
    if (!row) throw new CarrelError('not_found', `Cannot reverse "${key}": there is no such transaction`)
    if (!['usage', 'grant', 'capture', 'refund'].includes(row.kind))
      throw new CarrelError('conflict', `Cannot reverse "${key}": it is a ${row.kind}`)
    const done = await trx
      .selectFrom('ledger_transactions')
      .select('id')
      .where('key', '=', `reversal:${key}`)
      .executeTakeFirst()
    if (done) return { isNew: false }
    const rows = await trx
      .selectFrom('ledger_entries')
      .innerJoin('ledger_books', 'ledger_books.id', 'ledger_entries.book_id')
      .select(['ledger_books.id', 'kind', 'account_id', 'amount_micros'])
      .where('transaction_id', '=', row.id)
      .execute()
    const balance = (await lockBalances(trx, [row.account_id])).get(row.account_id)!
    const entries = opposite(rows).flatMap(({ book, amountMicros }): Entry[] => {
      if (book.kind !== 'credit' || amountMicros > 0) return [{ book, amountMicros }]
      const { takenMicros, shortMicros } = splitAmount(-amountMicros, balance, prices.overdraftMicros)
      return [
        { book, amountMicros: -takenMicros },
        { book: writeOff, amountMicros: -shortMicros },
      ]
    })
    const posting = {
      key: `reversal:${key}`,
      kind: 'reversal' as const,
      accountId: row.account_id,
      entries: entries.filter(({ amountMicros }) => amountMicros !== 0),
      ofTransaction: row.id,
      data: { reason },
    }
    await postTransactions(trx, [posting], prices.overdraftMicros)
    return { isNew: true }
  })
}

/** Returns the opposite entries, one for each ledger account. Held credit returns to the account. */
function opposite(rows: (Book & { amount_micros: number })[]): Entry[] {
  const entries = new Map<string, Entry>()
  for (const { amount_micros, ...original } of rows) {
    const book = original.kind === 'hold' ? creditOf(original.account_id!) : original
    const amountMicros = (entries.get(book.id)?.amountMicros ?? 0) - Number(amount_micros)
    entries.set(book.id, { book, amountMicros })
  }
  return [...entries.values()]
}
