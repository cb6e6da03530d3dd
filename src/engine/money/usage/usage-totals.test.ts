import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sql, type Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { defaultPrices } from '../../../config/price-book.ts'
import { addUp } from '../../../db/migrations/0013-usage-totals.ts'
import type { Database } from '../../../db/schema.ts'
import { limitStates, setSpendingLimit } from '../credit/spending-limits.ts'
import { verifyBooks } from '../ledger/verify-books.ts'
import { recordUsage, type UsageInterval } from './record-usage.ts'
import { usageHistory, type HistoryPage } from './usage-history.ts'
import { usageReport } from './usage-report.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const dayMs = 86_400_000
const today = Date.UTC(2026, 2, 1)
const range = { fromMs: today - dayMs, toMs: today + dayMs }

async function open(t: TestContext): Promise<Kysely<Database>> {
  const db = await openTestDatabase(t)
  return db
}

const rules = { prices: defaultPrices, isUnbilled: () => true }

/** Returns an interval of browser time that costs 10 micro-dollars. */
function interval(more: Partial<UsageInterval> & { id: string }): UsageInterval {
  return {
    accountId: 'a',
    computerId: null,
    meter: 'browser',
    startedAtMs: today,
    endedAtMs: today,
    quantity: 100,
    tokenId: null,
    label: null,
    ...more,
  }
}

const problems = async (db: Kysely<Database>) => (await verifyBooks(db, 0)).problems

test('a report sums up the intervals by day, computer, key and label', async (t) => {
  const db = await open(t)
  await recordUsage(db, rules, [
    interval({ id: '1', computerId: 'c', tokenId: 'k', label: '' }),
    interval({ id: '2', computerId: 'c', tokenId: 'l', label: '', endedAtMs: today + dayMs - 1 }),
    interval({ id: '3', computerId: 'd', label: 'x', endedAtMs: today - 1 }),
    interval({ id: '4', meter: 'neurons', quantity: 1000 }),
    interval({ id: '5', accountId: 'b' }),
    interval({ id: '6', endedAtMs: today - dayMs - 1 }),
    interval({ id: '7', quantity: 0 }),
  ])
  await recordUsage(db, rules, [interval({ id: '1', computerId: 'c', tokenId: 'k', label: '' })])
  const report = await usageReport({ db }, 'a', range)
  const shown = (lines: typeof report.byDay) =>
    lines.map(({ of, name, meter, amountMicros }) => [of, name, meter, amountMicros])
  assert.deepEqual(shown(report.totals), [
    ['', undefined, 'browser', 30],
    ['', undefined, 'neurons', 20],
  ])
  assert.deepEqual(shown(report.byDay), [
    ['2026-02-28', undefined, 'browser', 10],
    ['2026-03-01', undefined, 'browser', 20],
    ['2026-03-01', undefined, 'neurons', 20],
  ])
  assert.deepEqual(shown(report.byComputer), [
    ['c', '', 'browser', 20],
    ['d', 'x', 'browser', 10],
    ['', undefined, 'neurons', 20],
  ])
  assert.deepEqual(shown(report.byKey), [
    ['k', undefined, 'browser', 10],
    ['l', undefined, 'browser', 10],
    ['', undefined, 'browser', 10],
    ['', undefined, 'neurons', 20],
  ])
  assert.deepEqual(shown(report.byLabel), [
    ['', '', 'browser', 20],
    ['x', undefined, 'browser', 10],
    ['', undefined, 'neurons', 20],
  ])
  assert.deepEqual(await problems(db), [])
})

test('names beyond the limit of a day share one line, nothing is lost, and spending limits still count', async (t) => {
  const db = await open(t)
  const many = limits.usageLinesPerDay + 250
  const named = (index: number) =>
    interval({ id: `usage:${index}`, computerId: `c${index}`, tokenId: `k${index}`, label: `l${index}` })
  const last = `k${many - 1}`
  await setSpendingLimit(db, 'a', { tokenId: last, period: 'day', limitMicros: 100 })
  await recordUsage(
    db,
    rules,
    Array.from({ length: many }, (_, index) => named(index)),
  )
  // A name with a line keeps it, a name without one does not get one.
  await recordUsage(db, rules, [
    { ...named(0), id: 'again' },
    { ...named(many - 1), id: 'another' },
  ])
  const { total } = await db
    .selectFrom('usage_days')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  assert.equal(total, 1 + 3 * (limits.usageLinesPerDay + 1))
  const report = await usageReport({ db }, 'a', range)
  for (const lines of [report.byComputer, report.byKey, report.byLabel]) {
    assert.equal(lines.length, limits.usageReportLines + 1)
    assert.equal(
      lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0),
      (many + 2) * 10,
    )
    const rest = lines.filter((line) => line.rest)
    assert.deepEqual(
      rest.map(({ of, name, amountMicros }) => [of, name, amountMicros]),
      [['', '(others)', 2510]],
    )
  }
  const [state] = await limitStates(db, 'a', today)
  assert.equal(state?.spentMicros, 20)
  assert.deepEqual(await problems(db), [])
})

test('the migration sums up earlier intervals to the same values', async (t) => {
  const db = await open(t)
  const intervals = Array.from({ length: 600 }, (_, index) =>
    interval({
      id: `usage:${index}`,
      endedAtMs: today - (index % 70) * dayMs,
      computerId: index % 7 === 0 ? null : `c${index % 7}`,
      tokenId: index % 5 === 0 ? null : `k${index % 5}`,
      label: [null, '', 'x'][(index % 7) % 3] ?? null,
      quantity: index % 11,
      accountId: index % 2 === 0 ? 'a' : 'b',
    }),
  )
  await recordUsage(db, rules, intervals)
  const kept = async () => [
    await sql`select * from usage_days order by 1, 2, 3, 4, 5, 6`.execute(db),
    await sql`select * from spent order by 1, 2, 3, 4`.execute(db),
  ]
  const before = await kept()
  for (const table of ['usage_days', 'spent'] as const) await db.deleteFrom(table).execute()
  await addUp(db as Kysely<unknown>)
  assert.deepEqual(
    (await kept()).map(({ rows }) => rows),
    before.map(({ rows }) => rows),
  )
  assert.ok(before.every(({ rows }) => rows.length > 100))
  assert.deepEqual(await problems(db), [])
})

test('the migration folds the surplus lines of a day, as later intervals are', async (t) => {
  const db = await open(t)
  const many = limits.usageLinesPerDay + 10
  const named = (index: number) => interval({ id: `usage:${index}`, computerId: `c${index}`, endedAtMs: today + index })
  await recordUsage(
    db,
    rules,
    Array.from({ length: many }, (_, index) => named(index)),
  )
  const lines = () =>
    db.selectFrom('usage_days').selectAll().orderBy('dimension').orderBy('value').orderBy('part').execute()
  const before = await lines()
  for (const table of ['usage_days', 'spent'] as const) await db.deleteFrom(table).execute()
  await addUp(db as Kysely<unknown>)
  assert.deepEqual(await lines(), before)
  assert.deepEqual(await problems(db), [])
})

test('the history is paged by number or from the end of a page, whatever is used meanwhile', async (t) => {
  const db = await open(t)
  const at = (index: number) => today + Math.floor(index / 3)
  const intervals = Array.from({ length: 20 }, (_, index) =>
    interval({ id: `usage:${index}`, endedAtMs: at(index), quantity: index === 7 ? 0 : index + 1 }),
  )
  await recordUsage(db, rules, intervals)
  const quantities = async (page: HistoryPage) =>
    (await usageHistory({ db }, 'a', page)).intervals.map(({ quantity }) => quantity)
  const all = await quantities({ page: 1, limit: 100 })
  assert.equal(all.length, 19)
  const byNumber = [1, 2, 3, 4].map((page) => quantities({ page, limit: 5 }))
  assert.deepEqual((await Promise.all(byNumber)).flat(), all)
  const first = await usageHistory({ db }, 'a', { page: 1, limit: 5 })
  assert.deepEqual([first.count, first.intervals.length], [19, 5])
  await recordUsage(db, rules, [interval({ id: 'newer', endedAtMs: today + dayMs })])
  const found = first.intervals.map(({ quantity }) => quantity)
  for (let after = first.next; after !== undefined;) {
    const page = await usageHistory({ db }, 'a', { after, limit: 5 })
    found.push(...page.intervals.map(({ quantity }) => quantity))
    after = page.next
  }
  assert.deepEqual(found, all)
  for (const after of ['', 'x', Buffer.from('1').toString('base64url')])
    await assert.rejects(usageHistory({ db }, 'a', { after, limit: 5 }), { code: 'invalid_request' })
})
