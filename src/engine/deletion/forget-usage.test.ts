import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../config/limits.ts'
import { defaultPrices } from '../../config/price-book.ts'
import { verifyBooks } from '../money/ledger/verify-books.ts'
import { recordUsage } from '../money/usage/record-usage.ts'
import { forgetUsage } from './forget-usage.ts'
import { turnsDuring } from '../../../test/support/turns-during.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'

test('forgetUsage() keeps charged intervals without their names, and lets other work run between its steps', async (t) => {
  const db = await openTestDatabase(t)
  const many = 3 * limits.deletedRowsAtOnce
  const pieces = Array.from({ length: many }, (_, index) => ({
    id: `usage:${index}`,
    accountId: index % 100 === 98 ? 'stays' : 'goes',
    computerId: `c${index % 400}`,
    meter: 'browser' as const,
    startedAtMs: 0,
    endedAtMs: 0,
    // Ten units cost one micro-dollar.
    quantity: index % 2 === 0 ? 10 : 0,
    tokenId: 'k',
    label: `name ${index % 400}`,
  }))
  await recordUsage(db, { prices: defaultPrices, isUnbilled: () => true }, pieces)
  const of = (accountId: string) =>
    db.selectFrom('usage_intervals').select(['amount_micros', 'label']).where('account_id', '=', accountId).execute()
  const before = await of('stays')
  const turns = await turnsDuring(async () => assert.ok((await forgetUsage({ db }, ['goes'])) > many))
  assert.ok(turns >= 3, `${turns} turns`)
  assert.equal(await forgetUsage({ db }, ['goes']), 0)
  const left = await of('goes')
  assert.equal(left.length, many / 2 - many / 100)
  for (const row of left) assert.deepEqual({ ...row }, { amount_micros: 1, label: null })
  assert.deepEqual(await of('stays'), before)
  for (const table of ['usage_days', 'spent'] as const)
    assert.deepEqual(
      new Set((await db.selectFrom(table).select('account_id').execute()).map((row) => row.account_id)),
      new Set(['stays']),
    )
  assert.deepEqual((await verifyBooks(db, 0)).problems, [])
})
