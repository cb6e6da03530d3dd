import { sql, type ExpressionBuilder, type Kysely } from 'kysely'
import { lookup } from '../../../db/lookup.ts'
import { wholeAccount, type Database, type SpendingLimitRow, type SpentRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { chunks } from '../../../db/chunks.ts'
import type { Context } from '../../context.ts'

export interface SpendingLimit {
  /** undefined for the account as a whole. */
  tokenId?: string | undefined
  /** A calendar day or month in UTC. */
  period: SpendingLimitRow['period']
  limitMicros: number
}

/** Sets what an account, or one of its tokens, may spend in a period. Replaces an existing limit. */
export async function setSpendingLimit(db: Kysely<Database>, accountId: string, limit: SpendingLimit): Promise<void> {
  const { tokenId = wholeAccount, period, limitMicros } = limit
  if (!Number.isSafeInteger(limitMicros) || limitMicros < 0)
    throw new CarrelError(
      'invalid_request',
      'Cannot set the spending limit: it has to be a whole number of at least 0',
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

/** Removes a limit; does nothing when there is none. */
export async function removeSpendingLimit(
  db: Kysely<Database>,
  accountId: string,
  { tokenId = wholeAccount, period }: Omit<SpendingLimit, 'limitMicros'>,
): Promise<void> {
  await db
    .deleteFrom('spending_limits')
    .where('account_id', '=', accountId)
    .where('token_id', '=', tokenId)
    .where('period', '=', period)
    .execute()
}

export interface LimitState extends SpendingLimit {
  /** What was charged in the current period. */
  spentMicros: number
  /** When the next period begins, in Unix milliseconds. */
  resetsAtMs: number
}

/** Returns the limits of an account, then of its tokens, with what is spent of each. */
export async function limitStates(
  db: Kysely<Database>,
  accountId: string,
  nowMs: number = Date.now(),
): Promise<LimitState[]> {
  const rows = await limitsAt(db, nowMs).where('l.account_id', '=', accountId).execute()
  return rows
    .map((row) => stateOf(row, nowMs))
    .toSorted((a, b) => `${a.tokenId ?? ''} ${a.period}`.localeCompare(`${b.tokenId ?? ''} ${b.period}`))
}

/** Returns those of the accounts that have limits, of their own or of a token. */
export async function limitedAccounts(db: Kysely<Database>, accountIds: readonly string[]): Promise<string[]> {
  const limited: string[] = []
  for (const some of chunks(accountIds)) {
    const rows = await db
      .selectFrom('spending_limits')
      .select('account_id')
      .distinct()
      .where('account_id', 'in', some)
      .execute()
    limited.push(...rows.map(({ account_id }) => account_id))
  }
  return limited
}

/** Returns all used-up limits of the accounts, an account's own before those of its tokens. */
export async function reachedLimits(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<(LimitState & { accountId: string })[]> {
  const now = Date.now()
  const reached: (LimitState & { accountId: string })[] = []
  for (const some of chunks(accountIds)) {
    const rows = await limitsAt(db, now)
      .where('l.account_id', 'in', some)
      .where(isReached)
      .orderBy('l.account_id')
      .orderBy('l.token_id')
      .execute()
    reached.push(...rows.map((row) => ({ ...stateOf(row, now), accountId: row.account_id })))
  }
  return reached
}

/**
 * Returns the first limit of the account, or of the token, that is used up. Running usage counts once it is charged.
 */
export async function reachedLimit(
  { db }: Pick<Context, 'db'>,
  accountId: string,
  tokenId: string,
): Promise<LimitState | undefined> {
  const now = Date.now()
  const row = await firstReached(
    db,
    String(periodStart('day', now)),
    String(periodStart('month', now)),
    accountId,
    tokenId,
  )
  return row && stateOf(row, now)
}

/** Prepared, since every start of work asks for it. The parameters are in the order of the query. */
const firstReached = lookup((db) =>
  withSpent(db, '', '')
    .where('l.account_id', '=', '')
    .where((eb) => eb.or([eb('l.token_id', '=', sql.lit(wholeAccount)), eb('l.token_id', '=', '')]))
    .where(isReached)
    .orderBy('l.token_id')
    .limit(sql.lit(1)),
)

/** Selects limits with what was spent in the day and in the month that began at these Unix milliseconds. */
function withSpent(db: Kysely<Database>, day: number | string, month: number | string) {
  // PostgreSQL takes a parameter for a text.
  const since = sql<number>`case l.period when 'day' then cast(${day} as bigint) else cast(${month} as bigint) end`
  return db
    .selectFrom('spending_limits as l')
    .leftJoin('spent as s', (join) =>
      join
        .onRef('s.account_id', '=', 'l.account_id')
        .onRef('s.token_id', '=', 'l.token_id')
        .onRef('s.period', '=', 'l.period')
        .on('s.since', '=', since),
    )
    .select(['l.account_id', 'l.token_id', 'l.period', 'l.limit_micros', 's.amount_micros as spent'])
}

function limitsAt(db: Kysely<Database>, nowMs: number) {
  return withSpent(db, periodStart('day', nowMs), periodStart('month', nowMs))
}

function isReached(eb: ExpressionBuilder<{ l: SpendingLimitRow; s: Nullable<SpentRow> }, 'l' | 's'>) {
  return eb(eb.fn.coalesce('s.amount_micros', eb.lit(0)), '>=', eb.ref('l.limit_micros'))
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null }

function stateOf(
  { token_id, period, limit_micros, spent }: Omit<SpendingLimitRow, 'updated_at'> & { spent: number | null },
  nowMs: number,
): LimitState {
  return {
    tokenId: token_id === wholeAccount ? undefined : token_id,
    period,
    limitMicros: Number(limit_micros),
    spentMicros: Number(spent ?? 0),
    resetsAtMs: periodEnd(period, nowMs),
  }
}

/** Returns the beginning of the day or month in UTC, in Unix milliseconds. */
export function periodStart(period: SpendingLimitRow['period'], nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), period === 'day' ? now.getUTCDate() : 1)
}

/** Returns the beginning of the next day or month. */
function periodEnd(period: SpendingLimitRow['period'], nowMs: number): number {
  const start = new Date(periodStart(period, nowMs))
  if (period === 'day') return start.setUTCDate(start.getUTCDate() + 1)
  return start.setUTCMonth(start.getUTCMonth() + 1)
}
