import { sql, type Kysely } from 'kysely'
import { meterUnits } from '../../config/price-book.ts'
import type { Database, Meter } from '../../db/schema.ts'
import { chunks } from '../ledger/post.ts'

/** What was used of one meter, in the unit that a person is shown. */
export interface UsageLine {
  /** A day as `2026-01-26`, a computer's or token's id, a label; '' where it is not known. */
  of: string
  /** How a person calls it, where that differs: a computer's or a token's name; '' is the default sandbox's. */
  name?: string | undefined
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

/** What an account used from one moment to another, both in Unix milliseconds, by the UTC day in which each interval ended. */
export async function usageReport(
  db: Kysely<Database>,
  accountId: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<UsageReport> {
  const rows = (of: string) =>
    sql<SumRow>`
    select ${sql.raw(of)} as of, max(u.label) as label, u.meter as meter, sum(u.quantity) as quantity, sum(u.amount_micros) as amount
    from usage_intervals u
    where u.account_id = ${accountId} and u.ended_at >= ${fromMs} and u.ended_at < ${toMs} and u.quantity > 0
    group by ${sql.raw(of)}, u.meter order by ${sql.raw(of)}, u.meter`.execute(db)
  const [totals, days, computers, keys, labels] = [
    await rows(`''`),
    await rows(`u.ended_at / ${dayMs}`),
    await rows('u.computer_id'),
    await rows(`coalesce(u.token_id, '')`),
    await rows('u.label'),
  ]
  const names = await namesOf(
    db,
    keys.rows.map(({ of }) => String(of)),
  )
  return {
    totals: totals.rows.map((row) => lineOf(row)),
    byDay: days.rows.map((row) => lineOf({ ...row, of: new Date(Number(row.of) * dayMs).toISOString().slice(0, 10) })),
    byComputer: computers.rows.map((row) => ({ ...lineOf(row), name: row.label ?? undefined })),
    byKey: keys.rows.map((row) => ({ ...lineOf(row), name: names.get(String(row.of)) })),
    byLabel: labels.rows.map((row) => ({ ...lineOf(row), name: row.label === '' ? '' : undefined })),
  }
}

/** How tokens are called: an API key by its name, a sign-in by its person, who may be signed in many times. */
async function namesOf(db: Kysely<Database>, tokenIds: string[]): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const some of chunks([...new Set(tokenIds)])) {
    const tokens = await db
      .selectFrom('tokens')
      .leftJoin('users', 'users.id', 'tokens.user_id')
      .select(['tokens.id', 'tokens.kind', 'tokens.name', 'users.name as person'])
      .where('tokens.id', 'in', some)
      .execute()
    for (const { id, kind, name, person } of tokens) names.set(id, kind === 'api_key' ? name : (person ?? name))
    const userIds = some.filter((id) => id.startsWith('user:')).map((id) => id.slice('user:'.length))
    if (userIds.length === 0) continue
    const users = await db.selectFrom('users').select(['id', 'name']).where('id', 'in', userIds).execute()
    for (const { id, name } of users) names.set(`user:${id}`, name)
  }
  return names
}

interface SumRow {
  of: string | number | null
  label: string | null
  meter: Meter
  quantity: number
  amount: number
}

function lineOf({ of, meter, quantity, amount }: SumRow): UsageLine {
  const { shown, perShown } = meterUnits[meter]
  return {
    of: String(of ?? ''),
    meter,
    quantity: Number(quantity) / perShown,
    unit: shown,
    amountMicros: Number(amount),
  }
}

const dayMs = 86_400_000
