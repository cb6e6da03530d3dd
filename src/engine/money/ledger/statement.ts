import { sql, type Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, TransactionKind } from '../../../db/schema.ts'
import { creditOf } from './books.ts'

export interface StatementLine {
  transactionId: string
  key: string
  kind: TransactionKind
  /** Positive for what was added to the credit. */
  amountMicros: number
  data: Record<string, unknown>
  atMs: number
}

export interface StatementPage {
  lines: StatementLine[]
  /** Where the next page begins; undefined at the end. */
  next: string | undefined
}

/**
 * Returns what moved an account's credit, the newest first. `limit` is from 1 to 100, by default 25; `after` is `next`
 * of the previous page.
 */
export async function statement(
  db: Kysely<Database>,
  accountId: string,
  options: { limit?: number; after?: string } = {},
): Promise<StatementPage> {
  const limit = Math.min(Math.max(options.limit ?? 25, 1), limits.statementLines)
  let query = db
    .selectFrom('ledger_transactions as t')
    .innerJoin('ledger_entries as e', 'e.transaction_id', 't.id')
    .select(['t.id', 't.key', 't.kind', 't.data', 't.at', 'e.amount_micros'])
    .where('t.account_id', '=', accountId)
    .where('e.book_id', '=', creditOf(accountId).id)
    .orderBy('t.at', 'desc')
    .orderBy('t.id', 'desc')
    .limit(limit + 1)
  const [, at, id] = /^(\d+)\.(\w+)$/.exec(options.after ?? '') ?? []
  if (at !== undefined && id !== undefined)
    // A single comparison, so that the index is entered where the page begins.
    query = query.where(sql<boolean>`(t.at, t.id) < (${Number(at)}, ${id})`)
  const rows = await query.execute()
  const last = rows.length > limit ? rows[limit - 1] : undefined
  const lines = rows.slice(0, limit).map((row) => ({
    transactionId: row.id,
    key: row.key,
    kind: row.kind,
    amountMicros: Number(row.amount_micros),
    data: JSON.parse(row.data) as Record<string, unknown>,
    atMs: Number(row.at),
  }))
  return { lines, next: last && `${last.at}.${last.id}` }
}
