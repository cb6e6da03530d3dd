import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { defaultPrices } from '../../src/config/price-book.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { balanceOf } from '../../src/engine/money/ledger/balance.ts'
import { creditOf, promotions, revenueOf } from '../../src/engine/money/ledger/books.ts'
import { grantFirstCredit, grantToAll } from '../../src/engine/money/ledger/grant.ts'
import { placeHold } from '../../src/engine/money/ledger/hold.ts'
import { post } from '../../src/engine/money/ledger/post.ts'
import { refund } from '../../src/engine/money/ledger/refund.ts'
import { reverse } from '../../src/engine/money/ledger/reverse.ts'
import { settleHold } from '../../src/engine/money/ledger/settle-hold.ts'
import { statement } from '../../src/engine/money/ledger/statement.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { recordUsage, type UsageInterval } from '../../src/engine/money/usage/record-usage.ts'
import { openTestDatabase } from '../support/test-database.ts'

const prices = defaultPrices
const everyoneIsBilled = { prices, isUnbilled: () => false }

async function open(t: TestContext) {
  const db = await openTestDatabase(t)
  return db
}

type Db = Awaited<ReturnType<typeof open>>

async function assertRight(db: Db): Promise<void> {
  assert.deepEqual((await verifyBooks(db, 0)).problems, [])
}

async function bookBalances(db: Db): Promise<Record<string, number>> {
  const rows = await db.selectFrom('ledger_books').selectAll().orderBy('id').execute()
  return Object.fromEntries(rows.map(({ id, balance_micros }) => [id, balance_micros]))
}

function buy(db: Db, accountId: string, key: string, tier: string) {
  return topUp(db, prices, { accountId, key, method: 'stripe', quote: quoteFor(prices, { tier }) })
}

function interval(change: Partial<UsageInterval> = {}): UsageInterval {
  return {
    id: 'usage:c:compute:0',
    accountId: 'a',
    computerId: 'c',
    meter: 'compute',
    startedAtMs: 0,
    endedAtMs: 1000,
    quantity: 1000,
    tokenId: null,
    label: null,
    ...change,
  }
}

test('a new account gets five dollars, once, whenever and however often its credit is read', async (t) => {
  const db = await open(t)
  const [one, two] = [await createAccount(db, 'one'), await createAccount(db, 'two')]
  await grantFirstCredit(db, [one], prices)
  await grantToAll(db, prices)
  await grantToAll(db, { ...prices, newAccountMicros: 9 })
  await grantFirstCredit(db, [one, two], { ...prices, newAccountMicros: 9 })
  assert.deepEqual(await bookBalances(db), {
    [`credit:${one}`]: 5_000_000,
    [`credit:${two}`]: 5_000_000,
    promotions: -10_000_000,
  })
  await assertRight(db)
})

test('packages give their bonus: 10 % on $20, 20 % on $100, none on less', () => {
  const credit = (tier: string) => quoteFor(prices, { tier }).creditMicros / 1_000_000
  assert.deepEqual(['micro', 'starter', 'pro', 'scale'].map(credit), [1, 5, 22, 120])
  assert.deepEqual(quoteFor(prices, { amountCents: 2000 }), {
    amountCents: 2000,
    bonusMicros: 0,
    creditMicros: 20_000_000,
  })
})

test('an invalid amount cannot be bought', () => {
  for (const amountCents of [99, 0, -100, 100.5, Number.NaN, Infinity, 10 ** 18, 1_000_001, '100', null])
    assert.throws(() => quoteFor(prices, { amountCents: amountCents as number }), {
      code: 'invalid_request',
      details: { field: 'amountCents', minimum: 100, maximum: 1_000_000 },
    })
  assert.throws(() => quoteFor(prices, { amountCents: 499 }, prices.minimumDepositCents), { code: 'invalid_request' })
  for (const tier of ['huge', '', 'toString', '__proto__'])
    assert.throws(() => quoteFor(prices, { tier }), { code: 'invalid_request', message: /micro, starter, pro, scale/ })
})

test('a payment is credited once, however often it is reported, and its key belongs to it alone', async (t) => {
  const db = await open(t)
  assert.deepEqual(await buy(db, 'a', 'stripe:pi:1', 'pro'), { isNew: true, balanceMicros: 22_000_000 })
  assert.deepEqual(await buy(db, 'a', 'stripe:pi:1', 'pro'), { isNew: false, balanceMicros: 22_000_000 })
  await assert.rejects(buy(db, 'a', 'stripe:pi:1', 'micro'), { code: 'idempotency_mismatch' })
  await assert.rejects(buy(db, 'b', 'stripe:pi:1', 'pro'), { code: 'idempotency_mismatch' })
  assert.deepEqual(await bookBalances(db), {
    'clearing:stripe': -20_000_000,
    'credit:a': 22_000_000,
    promotions: -2_000_000,
  })
  await assertRight(db)
})

test('postings that do not add up to zero, or exceed the credit, are refused', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  const entries = (...amounts: number[]) =>
    amounts.map((amountMicros, index) => ({
      book: [creditOf('a'), revenueOf('compute'), promotions][index]!,
      amountMicros,
    }))
  const wrong = [entries(-5, 4), entries(0, 0), entries(-0.5, 0.5), entries(), entries(-(2 ** 53), 2 ** 53)]
  for (const some of wrong)
    await assert.rejects(post(db, { key: 'x', kind: 'usage', accountId: 'a', entries: some }, 0), /add up to zero/)
  const much = { key: 'x', kind: 'usage' as const, accountId: 'a', entries: entries(-1_000_001, 1_000_001) }
  await assert.rejects(post(db, much, 0), { code: 'out_of_credits' })
  assert.equal(await balanceOf(db, 'a'), 1_000_000)
  assert.equal(
    await db.selectFrom('ledger_transactions').select('id').where('key', '=', 'x').executeTakeFirst(),
    undefined,
  )
  await post(db, much, 1)
  assert.equal(await balanceOf(db, 'a'), -1)
})

test('a hold reserves credit, earns what the work cost, and releases the rest', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  const hold = { id: 'h', accountId: 'a', meter: 'browser' as const, amountMicros: 600_000 }
  await placeHold(db, prices, hold)
  await placeHold(db, prices, hold)
  assert.equal(await balanceOf(db, 'a'), 400_000)
  await assert.rejects(placeHold(db, prices, { ...hold, id: 'i' }), { code: 'out_of_credits' })
  await assertRight(db)
  await settleHold(db, prices, 'h', 100_000)
  await settleHold(db, prices, 'h', 100_000)
  await assert.rejects(settleHold(db, prices, 'h', 0), { code: 'conflict' })
  await assert.rejects(settleHold(db, prices, 'i', 0), { code: 'not_found' })
  assert.equal(await balanceOf(db, 'a'), 900_000)
  await placeHold(db, prices, { ...hold, id: 'j' })
  await settleHold(db, prices, 'j', 0)
  await settleHold(db, prices, 'j', 0)
  assert.equal(await balanceOf(db, 'a'), 900_000)
  await placeHold(db, prices, { ...hold, id: 'k' })
  await settleHold(db, prices, 'k', 1_000_000)
  assert.deepEqual(await bookBalances(db), {
    'clearing:stripe': -1_000_000,
    'credit:a': 0,
    'hold:a': 0,
    'revenue:browser': 1_100_000,
    write_off: -100_000,
  })
  await assertRight(db)
})

test('refunds take back the bonus in proportion, to the last micro-dollar and no more', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'pro')
  const parts = [333, 333, 1333, 1]
  for (const [index, amountCents] of parts.entries())
    for (const isNew of [true, false])
      assert.deepEqual(await refund(db, prices, { paymentKey: 'k', key: `r${index}`, amountCents, reason: 'x' }), {
        isNew,
      })
  await assert.rejects(refund(db, prices, { paymentKey: 'k', key: 'more', amountCents: 1, reason: 'x' }), {
    code: 'conflict',
  })
  await assert.rejects(refund(db, prices, { paymentKey: 'none', key: 'm', amountCents: 1, reason: 'x' }), {
    code: 'not_found',
  })
  assert.deepEqual(await bookBalances(db), { 'clearing:stripe': 0, 'credit:a': 0, promotions: 0 })
  await assertRight(db)
})

test('a refund of spent credit is written off: the account does not fall below zero', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  await recordUsage(db, everyoneIsBilled, [interval({ quantity: 9_000_000, endedAtMs: 9_000_000 })])
  await refund(db, prices, { paymentKey: 'k', key: 'r', amountCents: 100, reason: 'dispute' })
  assert.deepEqual(await bookBalances(db), {
    'clearing:stripe': 0,
    'credit:a': 0,
    'revenue:compute': 900_000,
    write_off: -900_000,
  })
  await assertRight(db)
})

test('a failed refund is reversed once, and its amount can be refunded again', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'pro')
  const part = { paymentKey: 'k', reason: 'x' }
  await refund(db, prices, { ...part, key: 'r1', amountCents: 1500 })
  assert.equal(await balanceOf(db, 'a'), 5_500_000)
  for (const isNew of [true, false])
    assert.deepEqual(await reverse(db, prices, { key: 'r1', reason: 'it failed' }), { isNew })
  assert.equal(await balanceOf(db, 'a'), 22_000_000)
  assert.deepEqual(await refund(db, prices, { ...part, key: 'r1', amountCents: 1500 }), { isNew: false })
  await refund(db, prices, { ...part, key: 'r2', amountCents: 2000 })
  assert.equal(await balanceOf(db, 'a'), 0)
  await assertRight(db)
})

test('a reversal undoes a charge once, and never a payment', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  await recordUsage(db, everyoneIsBilled, [interval()])
  for (const isNew of [true, false])
    assert.deepEqual(await reverse(db, prices, { key: 'usage:c:compute:0', reason: 'fault' }), { isNew })
  assert.equal(await balanceOf(db, 'a'), 1_000_000)
  await placeHold(db, prices, { id: 'h', accountId: 'a', meter: 'neurons', amountMicros: 1_000_000 })
  await settleHold(db, prices, 'h', 1_000_000)
  await reverse(db, prices, { key: 'capture:h', reason: 'fault' })
  assert.equal(await balanceOf(db, 'a'), 1_000_000)
  await assert.rejects(reverse(db, prices, { key: 'k', reason: 'x' }), { code: 'conflict' })
  await assert.rejects(reverse(db, prices, { key: 'none', reason: 'x' }), { code: 'not_found' })
  await assertRight(db)
})

test('a second of compute costs 100 micro-dollars, 1,000 neurons two cents, and fractions add up', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  const intervals = Array.from({ length: 1000 }, (_, index) =>
    interval({ id: `usage:c:compute:${index * 7}`, startedAtMs: index * 7, endedAtMs: index * 7 + 7, quantity: 7 }),
  )
  await recordUsage(db, everyoneIsBilled, intervals)
  assert.equal(1_000_000 - (await balanceOf(db, 'a')), 700)
  await recordUsage(db, everyoneIsBilled, [
    interval({ id: 'usage:x:neurons:1', computerId: null, meter: 'neurons', quantity: 1_000_000 }),
  ])
  assert.equal(1_000_000 - (await balanceOf(db, 'a')), 20_700)
  await assertRight(db)
})

test('usage is charged once, however often it is recorded, even within one call', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  for (let count = 0; count < 3; count++) await recordUsage(db, everyoneIsBilled, [interval(), interval()])
  assert.equal(await balanceOf(db, 'a'), 999_900)
  await assertRight(db)
})

test('unbilled usage is still priced, and takes no credit', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'k', 'micro')
  await recordUsage(db, { prices, isUnbilled: (id) => id === 'a' }, [interval()])
  assert.deepEqual(await bookBalances(db), {
    'clearing:stripe': -1_000_000,
    'credit:a': 1_000_000,
    'revenue:compute': 100,
    unbilled: -100,
  })
  const { amount_micros } = await db.selectFrom('usage_intervals').select('amount_micros').executeTakeFirstOrThrow()
  assert.equal(amount_micros, 100)
  await assertRight(db)
})

test('an account gets one event for low credit, one for no credit, and new ones after a top-up', async (t) => {
  const db = await open(t)
  const told = async () =>
    (await db.selectFrom('events').select('type').where('account_id', '=', 'a').orderBy('at').execute()).map(
      ({ type }) => type,
    )
  let start = 0
  const use = async (dollars: number) => {
    const quantity = dollars * 10_000_000
    const id = `usage:c:compute:${start}`
    await recordUsage(db, everyoneIsBilled, [
      interval({ id, startedAtMs: start, endedAtMs: (start += quantity), quantity }),
    ])
  }
  await buy(db, 'a', 'k', 'micro')
  await use(0.4)
  assert.deepEqual(await told(), [])
  await use(0.2)
  await use(0.2)
  assert.deepEqual(await told(), ['account.credit_low'])
  await use(0.3)
  await use(0.3)
  assert.deepEqual(await told(), ['account.credit_low', 'account.credit_exhausted'])
  await buy(db, 'a', 'k2', 'micro')
  await use(1)
  // Below both thresholds at once: the warning is never left out, and comes first.
  const both = ['account.credit_low', 'account.credit_exhausted']
  assert.deepEqual(await told(), [...both, ...both])
  await assertRight(db)
})

test('a statement lists what moved the credit, the newest first, page by page', async (t) => {
  const db = await open(t)
  await buy(db, 'a', 'first', 'pro')
  await buy(db, 'b', 'other', 'pro')
  for (let index = 0; index < 6; index++)
    await recordUsage(db, everyoneIsBilled, [
      interval({ id: `usage:c:compute:${index * 1000}`, startedAtMs: index * 1000, endedAtMs: index * 1000 + 1000 }),
    ])
  const keys: string[] = []
  let pages = 0
  for (let after: string | undefined, more = true; more; pages++) {
    const page = await statement(db, 'a', { limit: 3, after })
    keys.push(...page.lines.map(({ key, amountMicros }) => `${key} ${amountMicros}`))
    after = page.next
    more = after !== undefined
  }
  assert.equal(pages, 3)
  assert.equal(new Set(keys).size, 7)
  assert.ok(keys.includes('first 22000000') && keys.includes('usage:c:compute:3000 -100'))
})

test('verifyBooks() finds what is wrong', async (t) => {
  const faults: Record<string, RegExp> = {
    "update ledger_entries set amount_micros = amount_micros + 1 where book_id = 'credit:a'": /come to/,
    "update ledger_books set balance_micros = 7 where id = 'revenue:compute'": /Book "revenue:compute" says 7/,
    "delete from ledger_books where id = 'promotions'": /"promotions" says nothing/,
    'update ledger_transactions set amount_micros = 5': /another amount/,
    "delete from usage_intervals where id = 'usage:c:compute:0'": /no interval/,
    "update usage_intervals set amount_micros = 5 where id = 'usage:c:compute:0'": /was not charged/,
    "update usage_intervals set ended_at = 1001 where id = 'usage:c:compute:0'": /charged twice/,
    "update usage_intervals set quantity = 1001 where id = 'usage:c:compute:0'": /charged twice/,
    'update ledger_holds set amount_micros = 1': /holds come to 1/,
    "insert into ledger_books values ('credit:z', 'credit', 'z', -1)": /below what it may be/,
    "update usage_days set quantity = quantity + 1 where dimension = 'all'":
      /The compute of all of account "a" on 1970-01-01/,
    "update usage_days set amount_micros = 0 where dimension = 'computer'": /The compute of computer "c"/,
    "update usage_days set intervals = 1 where dimension = 'label'": /The compute of unknown labels/,
    "delete from usage_days where dimension = 'key'": /The compute of unknown keys/,
    "delete from usage_days where dimension = 'computer'": /The compute of other computers/,
    "update spent set amount_micros = 1 where period = 'day'": /What account "a" spent on 1970-01-01/,
    "delete from spent where period = 'month'": /What account "a" spent in the month from 1970-01-01/,
  }
  for (const [fault, complaint] of Object.entries(faults)) {
    const db = await open(t)
    await buy(db, 'a', 'k', 'pro')
    await placeHold(db, prices, { id: 'h', accountId: 'a', meter: 'browser', amountMicros: 600 })
    await recordUsage(db, everyoneIsBilled, [
      interval(),
      interval({ id: 'usage:c:compute:1000', startedAtMs: 1000, endedAtMs: 2000 }),
    ])
    await assertRight(db)
    await sql.raw(fault).execute(db)
    assert.match((await verifyBooks(db, 0)).problems.join('\n'), complaint, fault)
  }
})
