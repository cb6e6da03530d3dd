import { sql, type Kysely } from 'kysely'
import { readMany } from '../../../db/read-many.ts'
import type { Database } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'

export type MoneyMoveType = 'deposit' | 'session_usage' | 'refund'

/** What changed the credit of an account: a deposit, a refund, or all that a session has cost so far. */
export interface MoneyMove {
  /** The id of the session, or of the ledger's transaction. */
  id: string
  type: MoneyMoveType
  amountMicros: number
  /** When the session was ready, or the money was moved. */
  atMs: number
  /** Of a session. */
  durationMs: number | null
  /** Of a session. */
  sample: string | null
}

export interface MoneyHistory {
  moves: MoneyMove[]
  /** The number of moves on all pages. */
  count: number
  /** Of all sessions on all pages. */
  sessions: { count: number; amountMicros: number; durationMs: number }
}

interface Wanted {
  /** From 1 on. */
  page: number
  limit: number
  /** From this moment on, and before that one; all when undefined. */
  fromMs?: number | undefined
  toMs?: number | undefined
  types: readonly MoneyMoveType[]
}

/** Returns a page of what changed the credit of an account, the newest first. Only sessions that are kept are known. */
export async function moneyHistory(
  { db }: Pick<Context, 'db'>,
  accountId: string,
  { page, limit, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, types }: Wanted,
): Promise<MoneyHistory> {
  const moves = movesOf(db, accountId)
    .where('at', '>=', fromMs)
    .where('at', '<', toMs)
    .where('type', 'in', [...types, none])
  const [[total], rows] = await readMany(db, accountId, [
    moves.select(({ fn }) => [
      fn.countAll<number>().as('count'),
      sql<number>`sum(case type when 'session_usage' then 1 else 0 end)`.as('sessions'),
      sql<number>`sum(case type when 'session_usage' then amount else 0 end)`.as('amount'),
      fn.sum<number>('duration').as('duration'),
    ]),
    moves
      .selectAll()
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .offset((page - 1) * limit),
  ])
  return {
    moves: rows.map((row) => ({
      id: row.id,
      type: row.type as MoneyMoveType,
      amountMicros: Number(row.amount),
      atMs: Number(row.at),
      durationMs: row.duration === null ? null : Number(row.duration),
      sample: row.sample,
    })),
    count: Number(total?.count ?? 0),
    sessions: {
      count: Number(total?.sessions ?? 0),
      amountMicros: Number(total?.amount ?? 0),
      durationMs: Number(total?.duration ?? 0),
    },
  }
}

/** A list in SQL has at least one element. */
const none = ''

function movesOf(db: Kysely<Database>, accountId: string) {
  const now = Date.now()
  const ofSessions = db
    .selectFrom('sessions')
    .select([
      'id',
      sql<string>`'session_usage'`.as('type'),
      'ready_at as at',
      sql<number | null>`coalesce(ended_at, ${sql.lit(now)}) - ready_at`.as('duration'),
      sql<string | null>`sample_id`.as('sample'),
      sql<number>`coalesce((select sum(amount_micros) from usage_intervals where computer_id = sessions.id), 0)`.as(
        'amount',
      ),
    ])
    .where('account_id', '=', accountId)
    .where('ready_at', 'is not', null)
  const ofLedger = db
    .selectFrom('ledger_transactions')
    .select([
      'id',
      sql<string>`case kind when 'refund' then 'refund' else 'deposit' end`.as('type'),
      'at',
      sql<number | null>`null`.as('duration'),
      sql<string | null>`null`.as('sample'),
      sql<number>`amount_micros`.as('amount'),
    ])
    .where('account_id', '=', accountId)
    .where('kind', 'in', ['topup', 'grant', 'refund'])
  return db.selectFrom(ofSessions.unionAll(ofLedger).as('moves'))
}
