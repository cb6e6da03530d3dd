import { sql, type Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { meterUnits } from '../../../config/price-book.ts'
import { readMany } from '../../../db/read-many.ts'
import type { Database, Meter, UsageDayRow } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import type { Context } from '../../context.ts'
import { dayOf, dayStart } from './usage-totals.ts'

/** What was used of one meter, in the unit that users see. */
export interface UsageLine {
  /** A day as `2026-01-26`, the id of a computer or token, or a label; '' where unknown. */
  of: string
  /** The name for users, where it differs: of a computer or a token; '' is the default sandbox. */
  name?: string | undefined
  /** True for the sum of all that have no line of their own. */
  rest?: true | undefined
  meter: Meter
  quantity: number
  unit: string
  amountMicros: number
}

export interface UsageReport {
  totals: UsageLine[]
  byDay: UsageLine[]
  byComputer: UsageLine[]
  byKey: UsageLine[]
  byLabel: UsageLine[]
}

/**
 * Returns what an account used between the days of two times in Unix milliseconds, both included, by the UTC day in
 * which each interval ended. By computer, key and label the report lists the `limits.usageReportLines` most expensive
 * ones, and the sum of all others.
 */
export async function usageReport(
  { db }: Pick<Context, 'db'>,
  accountId: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<UsageReport> {
  const range = { accountId, from: dayOf(fromMs), to: dayOf(toMs) }
  const [days, computers, keys, labels] = await readMany(db, accountId, [
    daysOf(db, range),
    mostExpensive(db, range, 'computer'),
    mostExpensive(db, range, 'key'),
    mostExpensive(db, range, 'label'),
  ])
  const names = await namesOf(
    db,
    keys.flatMap(({ part, value }) => (part === 'named' ? value : [])),
  )
  return {
    totals: totalsOf(days),
    byDay: days.map((row) => lineOf(row, new Date(dayStart(row.day)).toISOString().slice(0, 10))),
    byComputer: computers.map((row) => namedLine(row, row.label ?? undefined)),
    byKey: keys.map((row) => namedLine(row, names.get(row.value))),
    byLabel: labels.map((row) => namedLine(row, row.value === '' && row.part === 'named' ? '' : undefined)),
  }
}

interface Range {
  accountId: string
  /** Days since 1970, both included. */
  from: number
  to: number
}

interface Sum {
  meter: Meter
  quantity: number
  amount: number
}

interface NamedSum extends Sum {
  part: UsageDayRow['part']
  value: string
  label: string | null
}

/** A double, since a sum of many quantities can exceed a safe integer; it is shown as a fraction anyway. */
const quantity = sql<number>`sum(cast(quantity as double precision))`

function daysOf(db: Kysely<Database>, { accountId, from, to }: Range) {
  return db
    .selectFrom('usage_days')
    .select(({ fn }) => ['day', 'meter', quantity.as('quantity'), fn.sum<number>('amount_micros').as('amount')])
    .where('account_id', '=', accountId)
    .where('dimension', '=', 'all')
    .where('day', '>=', from)
    .where('day', '<=', to)
    .groupBy(['day', 'meter'])
    .orderBy('day')
    .orderBy('meter')
}

function mostExpensive(db: Kysely<Database>, { accountId, from, to }: Range, dimension: UsageDayRow['dimension']) {
  const isBeyond = sql<boolean>`place > ${limits.usageReportLines}`
  return db
    .with('sums', (cte) =>
      cte
        .selectFrom('usage_days')
        .select(({ fn }) => [
          'part',
          'value',
          'meter',
          fn.max('label').as('label'),
          quantity.as('quantity'),
          fn.sum<number>('amount_micros').as('amount'),
        ])
        .where('account_id', '=', accountId)
        .where('dimension', '=', dimension)
        .where('day', '>=', from)
        .where('day', '<=', to)
        .groupBy(['part', 'value', 'meter']),
    )
    .with('places', (cte) =>
      cte
        .selectFrom('sums')
        .selectAll()
        .select(
          sql<number>`row_number() over (order by case part when 'rest' then 1 else 0 end, amount desc, value, meter)`.as(
            'place',
          ),
        ),
    )
    .selectFrom('places')
    .select(({ fn }) => [
      sql<UsageDayRow['part']>`case when ${isBeyond} then 'rest' else part end`.as('part'),
      sql<string>`case when ${isBeyond} then '' else value end`.as('value'),
      'meter',
      sql<string | null>`max(case when ${isBeyond} then null else label end)`.as('label'),
      fn.sum<number>('quantity').as('quantity'),
      fn.sum<number>('amount').as('amount'),
    ])
    .groupBy(sql`1, 2, 3`)
    .orderBy(sql`1`)
    .orderBy(sql`2`)
    .orderBy(sql`3`)
}

function totalsOf(days: Sum[]): UsageLine[] {
  const totals = new Map<Meter, Sum>()
  for (const { meter, quantity, amount } of days) {
    const total = totals.get(meter) ?? { meter, quantity: 0, amount: 0 }
    totals.set(meter, { meter, quantity: total.quantity + Number(quantity), amount: total.amount + Number(amount) })
  }
  return [...totals.values()].toSorted((a, b) => (a.meter < b.meter ? -1 : 1)).map((total) => lineOf(total, ''))
}

function namedLine(row: NamedSum, name: string | undefined): UsageLine {
  if (row.part === 'rest') return { ...lineOf(row, ''), name: '(others)', rest: true }
  return { ...lineOf(row, row.value), name }
}

/** Returns the names of tokens: of an API key its own, of a sign-in its user's, who can have many sign-ins. */
async function namesOf(db: Kysely<Database>, tokenIds: string[]): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const some of chunks([...new Set(tokenIds)])) {
    const tokens = await db
      .selectFrom('tokens')
      .leftJoin('users', 'users.id', 'tokens.user_id')
      .select(['tokens.id', 'tokens.kind', 'tokens.name', 'users.name as user_name'])
      .where('tokens.id', 'in', some)
      .execute()
    for (const { id, kind, name, user_name } of tokens) names.set(id, kind === 'api_key' ? name : (user_name ?? name))
    const userIds = some.filter((id) => id.startsWith('user:')).map((id) => id.slice('user:'.length))
    if (userIds.length === 0) continue
    const users = await db.selectFrom('users').select(['id', 'name']).where('id', 'in', userIds).execute()
    for (const { id, name } of users) names.set(`user:${id}`, name)
  }
  return names
}

function lineOf({ meter, quantity, amount }: Sum, of: string): UsageLine {
  const { shown, perShown } = meterUnits[meter]
  return { of, meter, quantity: Number(quantity) / perShown, unit: shown, amountMicros: Number(amount) }
}
