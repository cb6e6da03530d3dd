import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defaultPrices } from '../../../config/price-book.ts'
import { recordUsage } from '../usage/record-usage.ts'
import { limitStates, periodStart, reachedLimit, removeSpendingLimit, setSpendingLimit } from './spending-limits.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

async function open(t: TestContext) {
  const db = await openTestDatabase(t)
  /** Spends micro-dollars, by default now. */
  const spend = (tokenId: string, micros: number, atMs = Date.now()) =>
    recordUsage(db, { prices: defaultPrices, isUnbilled: () => true }, [
      {
        id: `usage:${tokenId}:${Math.random()}`,
        accountId: 'a',
        computerId: null,
        meter: 'browser',
        startedAtMs: atMs,
        endedAtMs: atMs,
        quantity: micros * 10,
        tokenId,
        label: null,
      },
    ])
  return { db, spend }
}

test('a limit of the account applies to all its tokens, a limit of a token to that token alone', async (t) => {
  const { db, spend } = await open(t)
  await setSpendingLimit(db, 'a', { tokenId: 'one', period: 'month', limitMicros: 50 })
  await setSpendingLimit(db, 'a', { period: 'day', limitMicros: 100 })
  await spend('one', 49)
  assert.equal(await reachedLimit({ db }, 'a', 'one'), undefined)
  await spend('one', 1)
  const now = new Date()
  assert.deepEqual(await reachedLimit({ db }, 'a', 'one'), {
    tokenId: 'one',
    period: 'month',
    limitMicros: 50,
    spentMicros: 50,
    resetsAtMs: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1),
  })
  assert.equal(await reachedLimit({ db }, 'a', 'two'), undefined)
  await spend('two', 50)
  const ofAccount = await reachedLimit({ db }, 'a', 'two')
  assert.deepEqual([ofAccount?.tokenId, ofAccount?.period, ofAccount?.spentMicros], [undefined, 'day', 100])
  assert.equal(await reachedLimit({ db }, 'b', 'two'), undefined)
})

test('spending before the period does not count', async (t) => {
  const { db, spend } = await open(t)
  await setSpendingLimit(db, 'a', { period: 'day', limitMicros: 100 })
  await spend('one', 100, periodStart('day', Date.now()) - 1)
  assert.equal(await reachedLimit({ db }, 'a', 'one'), undefined)
})

test('a limit can be replaced and removed', async (t) => {
  const { db } = await open(t)
  await setSpendingLimit(db, 'a', { period: 'day', limitMicros: 1 })
  await setSpendingLimit(db, 'a', { period: 'day', limitMicros: 2 })
  const [state, ...others] = await limitStates(db, 'a')
  assert.deepEqual([state?.tokenId, state?.period, state?.limitMicros, others], [undefined, 'day', 2, []])
  await removeSpendingLimit(db, 'a', { period: 'day' })
  assert.deepEqual(await limitStates(db, 'a'), [])
  for (const limitMicros of [-1, 0.5, Number.NaN])
    await assert.rejects(setSpendingLimit(db, 'a', { period: 'day', limitMicros }), { code: 'invalid_request' })
})

test('days and months begin at midnight in UTC', () => {
  const at = Date.UTC(2026, 1, 28, 23, 59, 59, 999)
  assert.equal(periodStart('day', at), Date.UTC(2026, 1, 28))
  assert.equal(periodStart('month', at), Date.UTC(2026, 1, 1))
})

test('limitStates() reports what is spent and when the period ends', async (t) => {
  const { db, spend } = await open(t)
  const at = Date.UTC(2026, 11, 31, 12)
  await setSpendingLimit(db, 'a', { tokenId: 'one', period: 'month', limitMicros: 50 })
  await setSpendingLimit(db, 'a', { period: 'day', limitMicros: 100 })
  await spend('one', 7, at)
  await spend('two', 5, at)
  await spend('two', 9, at - 86_400_000)
  assert.deepEqual(await limitStates(db, 'a', at), [
    { tokenId: undefined, period: 'day', limitMicros: 100, spentMicros: 12, resetsAtMs: Date.UTC(2027, 0, 1) },
    { tokenId: 'one', period: 'month', limitMicros: 50, spentMicros: 7, resetsAtMs: Date.UTC(2027, 0, 1) },
  ])
})
