import { sql, type Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { unpaidProcesses, unpaidProcessorTime } from '../usage/unpaid-work.ts'
import { wrongDays, wrongSpent } from '../usage/verify-totals.ts'

export interface Verdict {
  transactions: number
  entries: number
  books: number
  intervals: number
  /** Sentences; none when the ledger is right. At most `maxProblems` of each kind. */
  problems: string[]
}

type Check = (db: Kysely<Database>) => Promise<string[]>

/**
 * Verifies the ledger from its entries: the entries of each transaction, and all entries, add up to zero; each balance
 * is the sum of its entries; no credit is below the overdraft; held credit matches the holds; each interval of usage
 * was charged once, at its price, without overlapping another, and is part of the sums of usage; and no sandbox worked
 * for longer than it was charged. Run it in one transaction while a server is running.
 */
export async function verifyBooks(db: Kysely<Database>, overdraftMicros: number): Promise<Verdict> {
  const checks: Check[] = [
    unbalancedTransactions,
    sumOfAll,
    wrongAmounts,
    wrongBalances,
    (db) => overdrawn(db, overdraftMicros),
    wrongHolds,
    uncharged,
    unexplained,
    overlapping,
    (db) => unpaidProcessorTime(db, maxProblems),
    (db) => unpaidProcesses(db, maxProblems),
    (db) => wrongDays(db, maxProblems),
    (db) => wrongSpent(db, maxProblems),
  ]
  const problems: string[] = []
  for (const check of checks) problems.push(...(await check(db)))
  const [transactions, entries, books, intervals] = [
    await count(db, 'ledger_transactions'),
    await count(db, 'ledger_entries'),
    await count(db, 'ledger_books'),
    await count(db, 'usage_intervals'),
  ]
  return { transactions, entries, books, intervals, problems }
}

async function count(db: Kysely<Database>, table: keyof Database): Promise<number> {
  const { total } = await db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

async function unbalancedTransactions(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ key: string; total: number | null; entries: number }>`
    select t.key as key, sum(e.amount_micros) as total, count(e.position) as entries
    from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id
    group by t.id, t.key having count(e.position) < 2 or sum(e.amount_micros) <> 0 limit ${maxProblems}`.execute(db)
  return rows.map(
    ({ key, total, entries }) => `Transaction "${key}" has ${entries} entries, which come to ${total ?? 0}`,
  )
}

async function sumOfAll(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ total: number | null }>`
    select sum(amount_micros) as total from ledger_entries`.execute(db)
  const total = Number(rows[0]?.total ?? 0)
  return total === 0 ? [] : [`All entries come to ${total}, not to 0`]
}

async function wrongAmounts(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select t.key as key from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
    where e.amount_micros > 0 group by t.id, t.key, t.amount_micros
    having sum(e.amount_micros) <> t.amount_micros limit ${maxProblems}`.execute(db)
  return rows.map(({ key }) => `Transaction "${key}" says another amount than its entries`)
}

async function wrongBalances(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ id: string; kept: number | null; derived: number }>`
    select d.book_id as id, b.balance_micros as kept, d.total as derived
    from (select book_id, sum(amount_micros) as total from ledger_entries group by book_id) d
    left join ledger_books b on b.id = d.book_id
    where b.id is null or b.balance_micros <> d.total
    union all
    select b.id as id, b.balance_micros as kept, 0 as derived from ledger_books b
    where b.balance_micros <> 0 and not exists (select 1 from ledger_entries e where e.book_id = b.id)
    limit ${maxProblems}`.execute(db)
  return rows.map(({ id, kept, derived }) => `Book "${id}" says ${kept ?? 'nothing'}, its entries come to ${derived}`)
}

async function overdrawn(db: Kysely<Database>, overdraftMicros: number): Promise<string[]> {
  const rows = await db
    .selectFrom('ledger_books')
    .select(['id', 'balance_micros'])
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'credit'), eb('balance_micros', '<', -overdraftMicros)]),
        eb.and([eb('kind', '=', 'hold'), eb('balance_micros', '<', 0)]),
      ]),
    )
    .limit(maxProblems)
    .execute()
  return rows.map(({ id, balance_micros }) => `Book "${id}" is at ${balance_micros}, below what it may be`)
}

async function wrongHolds(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ account_id: string; held: number; open: number | null }>`
    select b.account_id as account_id, b.balance_micros as held, h.total as open
    from ledger_books b left join
      (select account_id, sum(amount_micros) as total from ledger_holds where settled_at is null group by account_id) h
      on h.account_id = b.account_id
    where b.kind = 'hold' and b.balance_micros <> coalesce(h.total, 0) limit ${maxProblems}`.execute(db)
  return rows.map(
    ({ account_id, held, open }) => `Account "${account_id}" has ${held} held, its open holds come to ${open ?? 0}`,
  )
}

async function uncharged(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select u.id as id from usage_intervals u left join ledger_transactions t on t.key = u.id and t.kind = 'usage'
    where (u.amount_micros <> 0 and t.id is null)
      or (t.id is not null and (t.amount_micros <> u.amount_micros or t.account_id <> u.account_id))
    limit ${maxProblems}`.execute(db)
  return rows.map(({ id }) => `Usage "${id}" was not charged by what it cost`)
}

async function unexplained(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select t.key as key from ledger_transactions t left join usage_intervals u on u.id = t.key
    where t.kind = 'usage' and u.id is null limit ${maxProblems}`.execute(db)
  return rows.map(({ key }) => `Transaction "${key}" charges usage of which there is no interval`)
}

/** Checks each computer: several tokens can share a span of time, but never more than all of it. */
async function overlapping(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ computer_id: string; started_at: number }>`
    select computer_id, started_at from (
      select computer_id, started_at, ended_at, used,
        lag(ended_at) over (partition by computer_id order by started_at) as before
      from (
        select computer_id, started_at, max(ended_at) as ended_at, sum(quantity) as used
        from usage_intervals where meter = 'compute' and quantity > 0 group by computer_id, started_at
      ) s
    ) w where before > started_at or used > ended_at - started_at limit ${maxProblems}`.execute(db)
  return rows.map(
    ({ computer_id, started_at }) =>
      `Computer "${computer_id}" was charged twice for a time from ${new Date(Number(started_at)).toISOString()} on`,
  )
}

const maxProblems = 20
