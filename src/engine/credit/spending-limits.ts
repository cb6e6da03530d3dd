import type { Kysely } from 'kysely'
import type { Database, SpendingLimitRow } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { chunks } from '../ledger/post.ts'

export interface SpendingLimit {
  /** undefined for the account as a whole. */
  tokenId?: string | undefined
  /** A day or a month of the calendar, in UTC. */
  period: SpendingLimitRow['period']
  limitMicros: number
}

/** Sets what an account, or one of its tokens, may spend in a period; a limit that is there is replaced. */
export async function setSpendingLimit(db: Kysely<Database>, accountId: string, limit: SpendingLimit): Promise<void> {
  const { tokenId = '', period, limitMicros } = limit
  if (!Number.isSafeInteger(limitMicros) || limitMicros < 0)
    throw new CarrelError(
      'invalid_request',
      'Cannot set the spending limit: it has to be a whole amount of at least 0',
      {
        details: { field: 'limitMicros' },
      },
    )
  const row = { account_id: accountId, token_id: tokenId, period, limit_micros: limitMicros, updated_at: Date.now() }
  await db
    .insertInto('spending_limits')
    .values(row)
    .onConflict((conflict) => conflict.columns(['account_id', 'token_id', 'period']).doUpdateSet(row))
    .execute()
}

/** Takes a limit away; one that is not there is no error. */
export async function removeSpendingLimit(
  db: Kysely<Database>,
  accountId: string,
  { tokenId = '', period }: Omit<SpendingLimit, 'limitMicros'>,
): Promise<void> {
  await db
    .deleteFrom('spending_limits')
    .where('account_id', '=', accountId)
    .where('token_id', '=', tokenId)
    .where('period', '=', period)
    .execute()
}

export interface LimitState extends SpendingLimit {
  /** What was charged in the period that runs. */
  spentMicros: number
  /** When the next one begins, in Unix milliseconds. */
  resetsAtMs: number
}

/** An account's limits, its own first, with what is spent of each. */
export async function limitStates(
  db: Kysely<Database>,
  accountId: string,
  nowMs: number = Date.now(),
): Promise<LimitState[]> {
  const rows = (await limitsOf(db, [accountId])).toSorted((a, b) =>
    `${a.token_id} ${a.period}`.localeCompare(`${b.token_id} ${b.period}`),
  )
  const states: LimitState[] = []
  for (const { token_id, period, limit_micros } of rows)
    states.push({
      tokenId: token_id || undefined,
      period,
      limitMicros: Number(limit_micros),
      spentMicros: await spentMicros(db, accountId, token_id, periodStart(period, nowMs)),
      resetsAtMs: periodEnd(period, nowMs),
    })
  return states
}

export async function limitsOf(db: Kysely<Database>, accountIds: readonly string[]): Promise<SpendingLimitRow[]> {
  const rows: SpendingLimitRow[] = []
  for (const some of chunks(accountIds))
    rows.push(...(await db.selectFrom('spending_limits').selectAll().where('account_id', 'in', some).execute()))
  return rows
}

/** The first limit of the account, or of that token, that is used up. What runs and is not charged yet counts from its charge on. */
export async function reachedLimit(
  { db }: Pick<Engine, 'db'>,
  accountId: string,
  tokenId: string,
): Promise<LimitState | undefined> {
  const rows = await db
    .selectFrom('spending_limits')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('token_id', 'in', ['', tokenId])
    .execute()
  const now = Date.now()
  for (const { token_id, period, limit_micros } of rows) {
    const spent = await spentMicros(db, accountId, token_id, periodStart(period, now))
    if (spent >= Number(limit_micros))
      return {
        tokenId: token_id || undefined,
        period,
        limitMicros: Number(limit_micros),
        spentMicros: spent,
        resetsAtMs: periodEnd(period, now),
      }
  }
  return undefined
}

async function spentMicros(db: Kysely<Database>, accountId: string, tokenId: string, sinceMs: number): Promise<number> {
  let query = db
    .selectFrom('usage_intervals')
    .select(({ fn }) => fn.sum<number>('amount_micros').as('sum'))
    .where('account_id', '=', accountId)
    .where('ended_at', '>=', sinceMs)
  if (tokenId !== '') query = query.where('token_id', '=', tokenId)
  return Number((await query.executeTakeFirst())?.sum ?? 0)
}

/** The beginning of the day or month in UTC, in Unix milliseconds. */
export function periodStart(period: SpendingLimitRow['period'], nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), period === 'day' ? now.getUTCDate() : 1)
}

/** The end of it, which is the beginning of the next one. */
function periodEnd(period: SpendingLimitRow['period'], nowMs: number): number {
  const start = new Date(periodStart(period, nowMs))
  if (period === 'day') return start.setUTCDate(start.getUTCDate() + 1)
  return start.setUTCMonth(start.getUTCMonth() + 1)
}
