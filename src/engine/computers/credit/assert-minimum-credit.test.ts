import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { testEngine } from '../../../../test/support/test-engine.ts'
import { defaultPrices } from '../../../config/price-book.ts'
import type { ComputersContext } from '../computers.ts'
import { topUp } from '../../money/ledger/top-up.ts'
import { assertMinimumCredit } from './assert-minimum-credit.ts'
import { setSpendingLimit } from '../../money/credit/spending-limits.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

/** 15 minutes at $0.0001 a second. */
const minimumMicros = 90_000
const caller = { accountId: 'a', tokenId: 't' }

async function engineWith(t: TestContext, creditMicros: number, overdraftMicros = 0): Promise<ComputersContext> {
  const db = await openTestDatabase(t)
  const prices = { ...defaultPrices, newAccountMicros: 0, overdraftMicros }
  const quote = { amountCents: 1, bonusMicros: creditMicros - 10_000, creditMicros }
  await topUp(db, prices, { accountId: 'a', key: 'test', method: 'test', quote })
  const engine = await testEngine({ db, prices, ownerId: 'o' })
  t.after(() => engine.driver.close())
  return engine
}

test('credit for 15 minutes is enough to start, a micro-dollar less is not', async (t) => {
  await assertMinimumCredit(await engineWith(t, minimumMicros), caller)
  const engine = await engineWith(t, minimumMicros - 1)
  await assert.rejects(assertMinimumCredit(engine, caller), {
    code: 'out_of_credits',
    details: { creditsRemaining: 0.089999, minimumMicros, topupUrl: 'https://carrel.example/topup' },
  })
})

test('the overdraft counts as credit, and a higher price requires more', async (t) => {
  const engine = await engineWith(t, 20_000, 70_000)
  await assertMinimumCredit(engine, caller)
  engine.prices.meters = { ...engine.prices.meters, compute: { micros: 101, per: 1000 } }
  await assert.rejects(assertMinimumCredit(engine, caller), { code: 'out_of_credits' })
})

test('use that is not charged yet is subtracted from the credit', async (t) => {
  const engine = await engineWith(t, minimumMicros)
  const computer = { computerId: 'c', accountId: 'a', label: null, cpus: 1, costsWhileRunning: true }
  engine.meter.resume(
    computer,
    { paidToMs: Date.now(), totals: { usedMicros: 0, openMs: 0 } },
    { used: [{ tokenId: null, ms: 1000 }], free: { ms: 0, cpuMicros: 0 }, lastTokenId: null },
  )
  await assert.rejects(assertMinimumCredit(engine, caller), { code: 'out_of_credits' })
})

test('the owner of an unbilled server needs no credit, but a spending limit applies to all accounts', async (t) => {
  const engine = await engineWith(t, 10_001)
  await assertMinimumCredit(engine, { ...caller, accountId: 'o' })
  await setSpendingLimit(engine.db, 'o', { period: 'day', limitMicros: 0 })
  await assert.rejects(assertMinimumCredit(engine, { ...caller, accountId: 'o' }), { code: 'spending_limit_reached' })
})
