import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql, type Kysely } from 'kysely'
import type { Database } from '../../src/db/schema.ts'
import { setSpendingLimit } from '../../src/engine/money/credit/spending-limits.ts'
import type { TestServer } from '../support/server.ts'
import { WatchedServer } from '../support/watched-server.ts'
import { withDatabase } from '../support/with-database.ts'

/** A year of an account whose programs never rest. */
const intervals = 300_000
const dayMs = 86_400_000
const stepMs = Math.floor((360 * dayMs) / intervals)

describe('an account with very much usage', { timeout: 300_000 }, () => {
  let watched: WatchedServer
  let server: TestServer
  let token: string
  let accountId: string
  before(async () => {
    watched = await WatchedServer.start({ CARREL_READS_PER_MINUTE: '0' })
    ;({ server } = watched)
    token = await server.newAccount('much')
    accountId = (await server.call('GET', '/v1/me', undefined, { token })).body.workspace_id
    await withDatabase((db) => fill(db, accountId))
  })
  after(async () => {
    await withDatabase(async (db) => {
      // For each row of the ledger, SQLite would search for rows that refer to it.
      await sql`pragma foreign_keys = off`.execute(db)
      await sql`pragma secure_delete = off`.execute(db)
      for (const table of ['usage_intervals', 'usage_days', 'spent', 'spending_limits', 'ledger_transactions'] as const)
        await db.deleteFrom(table).where('account_id', '=', accountId).execute()
    })
    await watched.stop()
  })

  const get = (path: string) => server.call('GET', path, undefined, { token })

  test('does not delay others with ten concurrent requests about usage and money', async (t) => {
    const paths = [
      '/v1/usage?days=366',
      '/billing/usage?page=1&limit=100',
      `/billing/usage?page=${intervals / 100}&limit=100`,
      '/billing/balance',
      '/v1/billing/preferences',
      '/balance',
      '/api/v1/billing/storage',
    ]
    const statuses: string[] = []
    const [, { longestTurnMs }] = await watched.during(async () => {
      for (const path of paths)
        for (const { status } of await Promise.all(Array.from({ length: 10 }, () => get(path))))
          statuses.push(`${status} ${path}`)
    })
    assert.deepEqual(
      [...new Set(statuses)],
      paths.map((path) => `200 ${path}`),
    )
    t.diagnostic(`the longest turn took ${longestTurnMs} ms of the processor`)
    assert.ok(longestTurnMs < 150, `${longestTurnMs} ms`)
  })

  test('gets all of it', async () => {
    const { totals, byDay, byKey, limits } = (await get('/v1/usage?days=366')).body
    assert.deepEqual(
      totals.map(({ quantity, amountMicros }: Record<string, number>) => [quantity, amountMicros]),
      [[intervals, intervals * 100]],
    )
    assert.equal(byDay.length, 360)
    assert.equal(byKey.length, 20)
    assert.equal(limits.length, 2)
    const first = (await get('/billing/usage?limit=100')).body
    assert.equal(first.total_count, intervals)
    const second = (await get('/billing/usage?limit=100&page=2')).body
    assert.deepEqual((await get(`/billing/usage?limit=100&after=${first.next}`)).body.items, second.items)
  })

  test('is the only one refused when it requests more than can wait', async () => {
    const asked = Array.from({ length: 40 }, () => get('/v1/usage?days=366'))
    const other = await server.call('GET', '/v1/usage')
    assert.equal(other.status, 200)
    const statuses = (await Promise.all(asked)).map(({ status, body }) => `${status} ${body.code ?? ''}`.trim())
    assert.deepEqual(new Set(statuses), new Set(['200', '429 LIMIT_REACHED']))
  })
})

async function fill(db: Kysely<Database>, accountId: string): Promise<void> {
  const from = Math.floor(Date.now() / dayMs) * dayMs - 360 * dayMs
  await sql`
    with recursive n(i) as (select 0 union all select i + 1 from n where i < ${intervals - 1})
    insert into usage_intervals (id, account_id, computer_id, meter, started_at, ended_at, quantity, amount_micros, token_id, label)
    select ${accountId} || ':' || i, ${accountId}, 'c' || (i % 500), 'compute', ${from} + i * ${stepMs}, ${from} + i * ${stepMs} + 1000,
      1000, 100, 'k' || (i % 20), 'l' || (i % 300) from n`.execute(db)
  await sql`
    insert into ledger_transactions (id, key, kind, account_id, amount_micros, of_transaction, data, at)
    select id, id, 'usage', account_id, amount_micros, null, '{}', ended_at from usage_intervals
    where account_id = ${accountId}`.execute(db)
  await addUpOf(db, accountId)
  await setSpendingLimit(db, accountId, { period: 'month', limitMicros: 1_000_000_000_000 })
  await setSpendingLimit(db, accountId, { period: 'day', limitMicros: 1_000_000_000_000 })
}

/** Writes the totals that would have been written with the intervals. */
async function addUpOf(db: Kysely<Database>, accountId: string): Promise<void> {
  for (const [dimension, value] of Object.entries({
    all: `''`,
    computer: 'computer_id',
    key: 'token_id',
    label: 'label',
  }))
    await sql`
      insert into usage_days (account_id, dimension, day, part, value, meter, label, intervals, quantity, amount_micros)
      select account_id, ${dimension}, ended_at / ${sql.lit(dayMs)}, 'named', ${sql.raw(value)}, meter, null,
        count(*), sum(quantity), sum(amount_micros)
      from usage_intervals where account_id = ${accountId} group by ended_at / ${sql.lit(dayMs)}, ${sql.raw(value)}, meter`.execute(
      db,
    )
}
