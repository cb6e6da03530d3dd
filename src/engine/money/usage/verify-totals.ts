import { sql, type Kysely } from 'kysely'
import { noComputer, wholeAccount, type Database } from '../../../db/schema.ts'
import { periodStart } from '../credit/spending-limits.ts'

/**
 * Adds up all intervals again, and returns a sentence for each sum of a day, computer, key or label that differs, up to
 * `max`. Accounts that are deleted have no sums.
 */
export async function wrongDays(db: Kysely<Database>, max: number): Promise<string[]> {
  const { rows } = await sql<Line>`
    with cube as materialized (
      select account_id, ended_at / ${sql.lit(dayMs)} as day, meter, computer_id, token_id, label,
        count(*) as intervals, sum(quantity) as quantity, sum(amount_micros) as amount
      from usage_intervals where quantity > 0 and account_id in (${withTotals}) group by 1, 2, 3, 4, 5, 6
    ), lines as (
      select account_id, 'all' as dimension, day, 'named' as part, '' as value, meter, intervals, quantity, amount from cube
      union all
      select account_id, 'computer', day, case computer_id when ${noComputer} then 'unknown' else 'named' end, computer_id, meter,
        intervals, quantity, amount from cube
      union all
      select account_id, 'key', day, case when token_id is null then 'unknown' else 'named' end, coalesce(token_id, ''), meter,
        intervals, quantity, amount from cube
      union all
      select account_id, 'label', day, case when label is null then 'unknown' else 'named' end, coalesce(label, ''), meter,
        intervals, quantity, amount from cube
    ), derived as (
      -- Usage without a line of its own is part of the rest.
      select l.account_id, l.dimension, l.day, case when k.day is null and l.part = 'named' then 'rest' else l.part end as part,
        case when k.day is null and l.part = 'named' then '' else l.value end as value, l.meter, l.intervals, l.quantity, l.amount
      from lines l left join usage_days k on k.account_id = l.account_id and k.dimension = l.dimension and k.day = l.day
        and k.part = l.part and k.value = l.value and k.meter = l.meter
    )
    select account_id, dimension, day, part, value, meter from (
      select * from derived
      union all
      select account_id, dimension, day, part, value, meter, -intervals, -quantity, -amount_micros from usage_days
    ) as differences
    group by account_id, dimension, day, part, value, meter
    having sum(intervals) <> 0 or sum(quantity) <> 0 or sum(amount) <> 0 limit ${max}`.execute(db)
  return rows.map(
    ({ account_id, dimension, day, part, value, meter }) =>
      `The ${meter} of ${nameOf(dimension, part, value)} of account "${account_id}" on ${dateOf(Number(day) * dayMs)} is not what its intervals come to`,
  )
}

/** Does the same for what was spent in each day and month. */
export async function wrongSpent(db: Kysely<Database>, max: number): Promise<string[]> {
  const day = sql`ended_at / ${sql.lit(dayMs)} * ${sql.lit(dayMs)}`
  const { rows } = await sql<Spent>`
    select account_id, token_id, since from (
      select account_id, ${wholeAccount} as token_id, ${day} as since, sum(amount_micros) as amount from usage_intervals
      where amount_micros > 0 and account_id in (${withTotals}) group by account_id, ${day}
      union all
      select account_id, token_id, ${day}, sum(amount_micros) from usage_intervals
      where amount_micros > 0 and token_id is not null and account_id in (${withTotals}) group by account_id, token_id, ${day}
      union all
      select account_id, token_id, since, -amount_micros from spent where period = 'day'
    ) as differences group by account_id, token_id, since having sum(amount) <> 0 limit ${max}`.execute(db)
  const wrong = rows.map((row) => describeSpent(row, 'on'))
  for (const [since, next] of await monthsOf(db)) {
    const { rows: ofMonth } = await sql<Spent>`
      select account_id, token_id, ${since} as since from (
        select account_id, token_id, amount_micros as amount from spent
        where period = 'day' and since >= ${since} and since < ${next}
        union all
        select account_id, token_id, -amount_micros from spent where period = 'month' and since = ${since}
      ) as differences group by account_id, token_id having sum(amount) <> 0 limit ${max}`.execute(db)
    wrong.push(...ofMonth.map((row) => describeSpent(row, 'in the month from')))
  }
  return wrong.slice(0, max)
}

interface Line {
  account_id: string
  dimension: string
  day: number
  part: string
  value: string
  meter: string
}

interface Spent {
  account_id: string
  token_id: string
  since: number
}

const withTotals = sql`select id from accounts union select account_id from usage_days`

/** Returns the beginnings of the months that have sums, each with the beginning of the next month. */
async function monthsOf(db: Kysely<Database>): Promise<Map<number, number>> {
  const rows = await db.selectFrom('spent').select('since').distinct().execute()
  return new Map(
    rows.map(({ since }) => {
      const month = periodStart('month', Number(since))
      return [month, new Date(month).setUTCMonth(new Date(month).getUTCMonth() + 1)]
    }),
  )
}

function nameOf(dimension: string, part: string, value: string): string {
  if (dimension === 'all') return 'all'
  return part === 'named' ? `${dimension} "${value}"` : `${part === 'rest' ? 'other' : 'unknown'} ${dimension}s`
}

function describeSpent({ account_id, token_id, since }: Spent, when: string): string {
  const who = token_id === wholeAccount ? `account "${account_id}"` : `key "${token_id}" of account "${account_id}"`
  return `What ${who} spent ${when} ${dateOf(Number(since))} is not what its intervals come to`
}

function dateOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10)
}

const dayMs = 86_400_000
