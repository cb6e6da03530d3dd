import { sql, type Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { clearingOf, creditOf, heldOf } from './books.ts'

export interface Totals {
  /** What can be spent. */
  balanceMicros: number
  /** What was ever paid in, bonuses and gifts apart; refunds do not lessen it. */
  depositedMicros: number
  /** What was ever charged. */
  spentMicros: number
  /** Unix milliseconds of the last move; null when there was none. */
  lastAtMs: number | null
}

/** An account's credit since it was opened. */
export async function totalsOf(db: Kysely<Database>, accountId: string): Promise<Totals> {
  // Few rows, whatever was used: charges are what the balance tells of beside them.
  const rows = await db
    .selectFrom('ledger_transactions as t')
    .innerJoin('ledger_entries as e', 'e.transaction_id', 't.id')
    .leftJoin('ledger_transactions as o', 'o.id', 't.of_transaction')
    .select(['t.kind', 'o.kind as of_kind', 'e.book_id', 'e.amount_micros'])
    .where('t.account_id', '=', accountId)
    // As the index has it, to the letter.
    .where('t.kind', '<>', sql.lit('usage'))
    .where('t.kind', 'in', ['grant', 'topup', 'refund', 'reversal'])
    .execute()
  const books = await db.selectFrom('ledger_books').selectAll().where('account_id', '=', accountId).execute()
  const sum = (amounts: (number | bigint)[]) => amounts.reduce((total: number, amount) => total + Number(amount), 0)
  const credit = creditOf(accountId).id
  const charges = new Set<string | null>(['usage', 'capture'])
  const added = rows.filter(({ book_id, of_kind }) => book_id === credit && !charges.has(of_kind))
  const paid = rows.filter(({ kind, book_id }) => kind === 'topup' && book_id.startsWith(clearingOf('').id))
  const last = await db
    .selectFrom('ledger_transactions')
    .select(({ fn }) => fn.max('at').as('at'))
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  const of = (id: string) => Number(books.find((book) => book.id === id)?.balance_micros ?? 0)
  return {
    balanceMicros: of(credit),
    depositedMicros: -sum(paid.map(({ amount_micros }) => amount_micros)),
    spentMicros: sum(added.map(({ amount_micros }) => amount_micros)) - of(credit) - of(heldOf(accountId).id),
    lastAtMs: last?.at ? Number(last.at) : null,
  }
}
