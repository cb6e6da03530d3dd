import { sql } from 'kysely'
import { readMany } from '../../../db/read-many.ts'
import type { Context } from '../../context.ts'
import { clearingOf, creditOf, heldOf } from './books.ts'

export interface Totals {
  /** What can be spent. */
  balanceMicros: number
  /** What was ever paid in, without bonuses and grants; refunds do not reduce it. */
  depositedMicros: number
  /** What was ever charged. */
  spentMicros: number
  /** When the credit last moved, in Unix milliseconds; null when it never did. */
  lastAtMs: number | null
}

/** Returns the totals of an account's credit since it was opened. */
export async function totalsOf({ db }: Pick<Context, 'db'>, accountId: string): Promise<Totals> {
  const credit = creditOf(accountId).id
  // Charges are not read: they are what remains of the balance and everything else.
  const moved = db
    .selectFrom('ledger_transactions as t')
    .innerJoin('ledger_entries as e', 'e.transaction_id', 't.id')
    .leftJoin('ledger_transactions as o', 'o.id', 't.of_transaction')
    .select([
      sql<number | null>`sum(case when e.book_id = ${credit} and coalesce(o.kind, '') not in ('usage', 'capture')
        then e.amount_micros else 0 end)`.as('added'),
      sql<number | null>`sum(case when t.kind = 'topup' and e.book_id like ${`${clearingOf('').id}%`}
        then e.amount_micros else 0 end)`.as('paid'),
    ])
    .where('t.account_id', '=', accountId)
    // Literally the condition of the index.
    .where('t.kind', '<>', sql.lit('usage'))
    .where('t.kind', 'in', ['grant', 'topup', 'refund', 'reversal'])
  const books = db
    .selectFrom('ledger_books')
    .select(['id', 'balance_micros'])
    .where('id', 'in', [credit, heldOf(accountId).id])
  const last = db
    .selectFrom('ledger_transactions')
    .select(({ fn }) => fn.max('at').as('at'))
    .where('account_id', '=', accountId)
  const [[sums], balances, [latest]] = await readMany(db, accountId, [moved, books, last])
  const of = (id: string) => Number(balances.find((book) => book.id === id)?.balance_micros ?? 0)
  return {
    balanceMicros: of(credit),
    depositedMicros: -Number(sums?.paid ?? 0),
    spentMicros: Number(sums?.added ?? 0) - of(credit) - of(heldOf(accountId).id),
    lastAtMs: latest?.at ? Number(latest.at) : null,
  }
}
