import { sql } from 'kysely'
import { readMany } from '../../../db/read-many.ts'
import { noComputer, type Meter } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'

export interface UsedInterval {
  meter: Meter
  /** null for what no computer used. */
  computerId: string | null
  startedAtMs: number
  endedAtMs: number
  /** In the meter's unit, see `config/price-book.ts`. */
  quantity: number
  amountMicros: number
}

export interface UsageHistory {
  /** The number of intervals on all pages. */
  count: number
  intervals: UsedInterval[]
  /** Where the next page begins; undefined at the end. */
  next: string | undefined
}

/**
 * A page by its number, from 1 on, or the page after the end of another, which new usage does not shift and which costs
 * the same however far it is.
 */
export type HistoryPage = { limit: number } & ({ page: number } | { after: string })

/**
 * Returns what an account used, interval by interval, the newest first. Throws `invalid_request` for an invalid
 * `after`.
 */
export async function usageHistory(
  { db }: Pick<Context, 'db'>,
  accountId: string,
  options: HistoryPage,
): Promise<UsageHistory> {
  const { limit } = options
  const before = 'after' in options ? positionOf(options.after) : undefined
  const offset = 'page' in options ? (options.page - 1) * limit : 0
  const count = db
    .selectFrom('usage_days')
    .select(({ fn }) => fn.sum<number>('intervals').as('count'))
    .where('account_id', '=', accountId)
    .where('dimension', '=', 'all')
  // Skipped rows are read from the index alone.
  let ids = db
    .selectFrom('usage_intervals')
    .select('id')
    .where('account_id', '=', accountId)
    .where('quantity', '>', 0)
    .orderBy('ended_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .offset(offset)
  if (before) ids = ids.where(sql<boolean>`(ended_at, id) < (${before.endedAtMs}, ${before.id})`)
  const page = db
    .selectFrom('usage_intervals')
    .selectAll()
    .where('id', 'in', ids)
    .orderBy('ended_at', 'desc')
    .orderBy('id', 'desc')
  const [[total], rows] = await readMany(db, accountId, [count, page])
  const last = rows.length > limit ? rows[limit - 1] : undefined
  const intervals = rows.slice(0, limit).map((row) => ({
    meter: row.meter,
    computerId: row.computer_id === noComputer ? null : row.computer_id,
    startedAtMs: Number(row.started_at),
    endedAtMs: Number(row.ended_at),
    quantity: Number(row.quantity),
    amountMicros: Number(row.amount_micros),
  }))
  return { count: Number(total?.count ?? 0), intervals, next: last && nextOf(last) }
}

interface Position {
  endedAtMs: number
  id: string
}

function nextOf(row: { ended_at: number; id: string }): string {
  return Buffer.from(`${row.ended_at} ${row.id}`).toString('base64url')
}

function positionOf(after: string): Position {
  const [, endedAt, id] = /^(\d{1,15}) (.+)$/s.exec(Buffer.from(after, 'base64url').toString()) ?? []
  if (endedAt !== undefined && id !== undefined) return { endedAtMs: Number(endedAt), id }
  throw new CarrelError('invalid_request', 'Cannot read the usage history: "after" is not the "next" of a page', {
    details: { field: 'after' },
  })
}
