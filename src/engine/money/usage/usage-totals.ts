import { sql, type Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import {
  noComputer,
  wholeAccount,
  type Database,
  type SpentRow,
  type UsageDayRow,
  type UsageIntervalRow,
} from '../../../db/schema.ts'
import { periodStart } from '../credit/spending-limits.ts'

/**
 * Adds intervals to the sums of days and of spending, in the transaction that writes the intervals, so that the sums
 * cannot differ from the rows. A day has at most `limits.usageLinesPerDay` computers, keys and labels each, the first
 * ones of the day; all others are summed up in one line, so that nobody can make a report long by names.
 */
export async function addToTotals(trx: Transaction<Database>, intervals: readonly UsageIntervalRow[]): Promise<void> {
  const days = sumByKey(intervals.filter(({ quantity }) => quantity > 0).flatMap(linesOf), keyOfDay)
  await writeDays(trx, await foldRest(trx, days))
  await writeSpent(
    trx,
    sumByKey(intervals.filter(({ amount_micros }) => amount_micros > 0).flatMap(spentOf), keyOfSpent),
  )
}

/** Returns the day in UTC, as a number of days since 1970. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / dayMs)
}

/** Returns the beginning of such a day in Unix milliseconds. */
export function dayStart(day: number): number {
  return day * dayMs
}

/** Returns an interval as lines of its day. */
function linesOf(interval: UsageIntervalRow): UsageDayRow[] {
  const { account_id, computer_id, token_id, label, meter, ended_at, quantity, amount_micros } = interval
  const line = (dimension: UsageDayRow['dimension'], value: string | null): UsageDayRow => ({
    account_id,
    dimension,
    day: dayOf(ended_at),
    part: value === null ? 'unknown' : 'named',
    value: value ?? '',
    meter,
    label: dimension === 'computer' ? label : null,
    intervals: 1,
    quantity,
    amount_micros,
  })
  return [
    line('all', ''),
    line('computer', computer_id === noComputer ? null : computer_id),
    line('key', token_id),
    line('label', label),
  ]
}

function spentOf({ account_id, token_id, ended_at, amount_micros }: UsageIntervalRow): SpentRow[] {
  const tokens = token_id === null ? [wholeAccount] : [wholeAccount, token_id]
  return tokens.flatMap((token) =>
    (['day', 'month'] as const).map((period) => ({
      account_id,
      token_id: token,
      period,
      since: periodStart(period, ended_at),
      amount_micros,
    })),
  )
}

/** Adds up lines of the same key. */
function sumByKey<Row extends UsageDayRow | SpentRow>(rows: Row[], keyOf: (row: Row) => string): Row[] {
  const sums = new Map<string, Row>()
  for (const row of rows) {
    const key = keyOf(row)
    const sum = sums.get(key)
    if (!sum) sums.set(key, { ...row })
    else add(sum, row)
  }
  return [...sums.values()]
}

function add<Row extends UsageDayRow | SpentRow>(sum: Row, row: Row): void {
  sum.amount_micros += row.amount_micros
  if (!('day' in sum) || !('day' in row)) return
  sum.intervals += row.intervals
  sum.quantity += row.quantity
  sum.label = row.label ?? sum.label
}

type DayKey = Pick<UsageDayRow, (typeof dayKey)[number]>

const dayKey = ['account_id', 'dimension', 'day', 'part', 'value', 'meter'] as const
/** Only the value can contain spaces. */
const keyOfDay = (row: DayKey) => `${listOf(row)} ${row.part} ${row.meter} ${row.value}`
const keyOfSpent = (row: SpentRow) => `${row.account_id} ${row.token_id} ${row.period} ${row.since}`
const listOf = (row: Pick<DayKey, 'account_id' | 'dimension' | 'day'>) =>
  `${row.account_id} ${row.dimension} ${row.day}`

/** Makes the lines that a day has no room for part of its rest. */
async function foldRest(trx: Transaction<Database>, lines: UsageDayRow[]): Promise<UsageDayRow[]> {
  const named = lines.filter(({ dimension, part }) => dimension !== 'all' && part === 'named')
  const known = new Set((await knownLines(trx, named)).map(keyOfDay))
  const fresh = named.filter((line) => !known.has(keyOfDay(line)))
  const counts = await countLines(trx, fresh)
  const rest = new Set<UsageDayRow>()
  for (const line of fresh) {
    const count = counts.get(listOf(line)) ?? 0
    if (count >= limits.usageLinesPerDay) rest.add(line)
    else counts.set(listOf(line), count + 1)
  }
  if (rest.size === 0) return lines
  const folded = lines.map((line): UsageDayRow =>
    rest.has(line) ? { ...line, part: 'rest', value: '', label: null } : line,
  )
  return sumByKey(folded, keyOfDay)
}

async function knownLines(trx: Transaction<Database>, lines: UsageDayRow[]): Promise<DayKey[]> {
  if (lines.length === 0) return []
  return trx
    .selectFrom('usage_days')
    .select(dayKey)
    .where(
      sql<boolean>`(account_id, dimension, day, part, value, meter) in (values ${sql.join(
        lines.map((line) =>
          rowOf([line.account_id, line.dimension, asNumber(line.day), line.part, line.value, line.meter]),
        ),
      )})`,
    )
    .execute()
}

const rowOf = (values: readonly unknown[]) => sql`(${sql.join(values)})`
/** PostgreSQL takes a parameter in a list of rows for a text. */
const asNumber = (value: number) => sql`cast(${value} as bigint)`

/** Counts the lines of each of the days, by `listOf`. */
async function countLines(trx: Transaction<Database>, lines: UsageDayRow[]): Promise<Map<string, number>> {
  const lists = new Map(lines.map((line) => [listOf(line), line]))
  if (lists.size === 0) return new Map()
  const rows = await trx
    .selectFrom('usage_days')
    .select(({ fn }) => ['account_id', 'dimension', 'day', fn.countAll<number>().as('count')])
    .where(
      sql<boolean>`(account_id, dimension, day, part) in (values ${sql.join(
        [...lists.values()].map((line) => rowOf([line.account_id, line.dimension, asNumber(line.day), 'named'])),
      )})`,
    )
    .groupBy(['account_id', 'dimension', 'day'])
    .execute()
  return new Map(rows.map((row) => [listOf(row), Number(row.count)]))
}

async function writeDays(trx: Transaction<Database>, rows: UsageDayRow[]): Promise<void> {
  if (rows.length === 0) return
  await trx
    .insertInto('usage_days')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(dayKey).doUpdateSet((eb) => ({
        label: eb.fn.coalesce('excluded.label', 'usage_days.label'),
        intervals: eb('usage_days.intervals', '+', eb.ref('excluded.intervals')),
        quantity: eb('usage_days.quantity', '+', eb.ref('excluded.quantity')),
        amount_micros: eb('usage_days.amount_micros', '+', eb.ref('excluded.amount_micros')),
      })),
    )
    .execute()
}

async function writeSpent(trx: Transaction<Database>, rows: SpentRow[]): Promise<void> {
  if (rows.length === 0) return
  await trx
    .insertInto('spent')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'token_id', 'period', 'since'])
        .doUpdateSet((eb) => ({ amount_micros: eb('spent.amount_micros', '+', eb.ref('excluded.amount_micros')) })),
    )
    .execute()
}

const dayMs = 86_400_000
