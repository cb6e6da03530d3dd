import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { defaultPrices } from '../../src/config/price-book.ts'
import { balanceOf } from '../../src/engine/money/ledger/balance.ts'
import { grantFirstCredit } from '../../src/engine/money/ledger/grant.ts'
import { placeHold } from '../../src/engine/money/ledger/hold.ts'
import { refund } from '../../src/engine/money/ledger/refund.ts'
import { reverse } from '../../src/engine/money/ledger/reverse.ts'
import { settleHold } from '../../src/engine/money/ledger/settle-hold.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { recordUsage } from '../../src/engine/money/usage/record-usage.ts'
import { CarrelError } from '../../src/errors.ts'
import { Crash, MortalDatabase } from './mortal-database.ts'
import { propertyRuns } from '../support/test-database.ts'

const account = fc.constantFrom('a', 'b')
/** Few ids, so that facts are repeated and collide. */
const id = fc.nat(4)

/** A fact that its caller reports until it gets an answer. */
const fact = fc.oneof(
  fc.record({ is: fc.constant('grant' as const), account }),
  fc.record({ is: fc.constant('topup' as const), account, id, tier: fc.constantFrom('micro', 'pro') }),
  fc.record({ is: fc.constant('hold' as const), account, id, micros: fc.integer({ min: 1, max: 4_000_000 }) }),
  fc.record({ is: fc.constant('settle' as const), id, micros: fc.nat(6_000_000) }),
  fc.record({
    is: fc.constant('usage' as const),
    intervals: fc.array(fc.record({ account, id: fc.nat(12), ms: fc.nat(9_000_000) }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ is: fc.constant('refund' as const), payment: id, id, cents: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ is: fc.constant('refund-failed' as const), payment: id, id }),
  fc.record({ is: fc.constant('reverse' as const), usage: fc.nat(12) }),
)
type Fact = typeof fact extends fc.Arbitrary<infer T> ? T : never

const death = fc.record({ at: fc.nat(25), dies: fc.constantFrom('before' as const, 'after' as const) })
const step = fc.record({ fact, deaths: fc.array(death, { maxLength: 2 }) })

async function tell({ db }: MortalDatabase, prices: typeof defaultPrices, told: Fact): Promise<void> {
  switch (told.is) {
    case 'grant':
      return grantFirstCredit(db, [told.account], prices)
    case 'topup': {
      const quote = quoteFor(prices, { tier: told.tier })
      return void (await topUp(db, prices, { accountId: told.account, key: `pay:${told.id}`, method: 'm', quote }))
    }
    case 'hold':
      return placeHold(db, prices, {
        id: `${told.id}`,
        accountId: told.account,
        meter: 'browser',
        amountMicros: told.micros,
      })
    case 'settle':
      return settleHold(db, prices, `${told.id}`, told.micros)
    case 'usage': {
      const intervals = told.intervals.map(({ account, id, ms }) => ({
        id: `usage:c${id}:compute:0`,
        accountId: account,
        computerId: `c${id}`,
        meter: 'compute' as const,
        startedAtMs: 0,
        endedAtMs: ms,
        quantity: ms,
        tokenId: null,
        label: null,
      }))
      return void (await recordUsage(db, { prices, isUnbilled: () => false }, intervals))
    }
    case 'refund':
      return void (await refund(db, prices, {
        paymentKey: `pay:${told.payment}`,
        key: `refund:${told.payment}:${told.id}`,
        amountCents: told.cents,
        reason: 'x',
      }))
    case 'refund-failed':
      return void (await reverse(db, prices, { key: `refund:${told.payment}:${told.id}`, reason: 'x' }))
    case 'reverse':
      return void (await reverse(db, prices, { key: `usage:c${told.usage}:compute:0`, reason: 'x' }))
  }
}

/** Reports a fact until there is an answer; a refusal is one. */
async function tellUntilAnswered(
  mortal: MortalDatabase,
  prices: typeof defaultPrices,
  { fact, deaths }: { fact: Fact; deaths: { at: number; dies: 'before' | 'after' }[] },
): Promise<string> {
  for (const { at, dies } of [...deaths, { at: Infinity, dies: 'before' as const }]) {
    mortal.dieAt(at, dies)
    try {
      await tell(mortal, prices, fact)
      return 'done'
    } catch (error) {
      if (error instanceof CarrelError) return error.code
      if (!(error instanceof Crash)) throw error
    } finally {
      await mortal.revive()
    }
  }
  throw new Error('It was never answered')
}

async function contents({ db }: MortalDatabase) {
  const rows = await db.selectFrom('ledger_books').selectAll().orderBy('id').execute()
  return {
    books: rows.map(({ id, balance_micros }) => `${id} ${balance_micros}`),
    facts: (await db.selectFrom('ledger_transactions').select('key').orderBy('key').execute()).map(({ key }) => key),
  }
}

test('the ledger stays right for any order of facts, with callers that die at any statement and ask again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0, 700_000),
      async (steps, overdraftMicros) => {
        const prices = { ...defaultPrices, overdraftMicros }
        await using dying = await MortalDatabase.make()
        await using living = await MortalDatabase.make()
        for (const { fact, deaths } of steps) {
          const answer = await tellUntilAnswered(dying, prices, { fact, deaths })
          // The same sequence without deaths shows the effect of the deaths.
          assert.equal(answer, await tellUntilAnswered(living, prices, { fact, deaths: [] }))
          const { problems } = await verifyBooks(dying.db, overdraftMicros)
          assert.deepEqual(problems, [])
          for (const accountId of ['a', 'b'])
            assert.ok((await balanceOf(dying.db, accountId)) >= -overdraftMicros, 'never below the overdraft')
        }
        assert.deepEqual(await contents(dying), await contents(living))
      },
    ),
    { numRuns: propertyRuns },
  )
})
