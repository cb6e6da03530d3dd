import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import { limits } from '../../src/config/limits.ts'
import { defaultPrices } from '../../src/config/price-book.ts'
import { readSettings } from '../../src/config/settings.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { CreditWatch } from '../../src/engine/money/credit/credit-watch.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { totalsOf } from '../../src/engine/money/ledger/totals.ts'
import { openStripe } from '../../src/engine/money/payments/open-stripe.ts'
import { reconcilePayments } from '../../src/engine/money/payments/reconcile-payments.ts'
import { startPayment } from '../../src/engine/money/payments/start-payment.ts'
import { ComputeMeter } from '../../src/engine/money/usage/compute-meter.ts'
import { KeyedLock } from '../../src/keyed-lock.ts'
import { StripeServer } from '../support/fake-stripe.ts'

const minute = 60_000

describe('reconcilePayments()', () => {
  let stripe: StripeServer
  let engine: Engine
  let accountId: string
  before(async () => {
    stripe = await StripeServer.start()
    const settings = readSettings(stripe.env)
    const db = await openDatabase(':memory:')
    accountId = await createAccount(db, 'payer')
    engine = {
      db,
      settings,
      stripe: await openStripe(settings),
      prices: defaultPrices,
      credit: new CreditWatch(defaultPrices),
      meter: new ComputeMeter(),
      locks: new KeyedLock(),
      log: pino({ level: 'silent' }),
      server: { stopping: new AbortController().signal, origin: () => 'http://carrel.test', ownerId: '' },
    } as unknown as Engine
  })
  after(async () => {
    await engine.db.destroy()
    await stripe.stop()
  })

  /** A payment that was begun so long ago, and asked about so long after. */
  const begin = async ({ ageMs, askedMs = ageMs }: { ageMs: number; askedMs?: number }) => {
    const { id, url } = await startPayment(engine, { accountId, tokenId: 't' }, { tier: 'pro' })
    const now = Date.now()
    await engine.db
      .updateTable('payments')
      .set({ created_at: now - ageMs, updated_at: now - askedMs })
      .where('id', '=', id)
      .execute()
    return { id, session: stripe.sessionAt(url) }
  }
  const stateOf = async (id: string) =>
    (await engine.db.selectFrom('payments').select('state').where('id', '=', id).executeTakeFirst())?.state
  const asksAbout = async (times: { ageMs: number; askedMs?: number }) => {
    const { id, session } = await begin(times)
    await reconcilePayments(engine, { atStart: false })
    const isAsked = stripe.requests.some((request) => request.includes(session.id))
    await engine.db.deleteFrom('payments').where('id', '=', id).execute()
    return isAsked
  }

  test('credits a payment of which no event came', async () => {
    const { id, session } = await begin({ ageMs: 6 * minute })
    stripe.pay(session)
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(id), 'paid')
    const { balanceMicros, depositedMicros } = await totalsOf(engine, accountId)
    assert.deepEqual([balanceMicros, depositedMicros], [27_000_000, 20_000_000])
  })

  test('asks after five minutes, then the seldomer the older it is, but each six hours', async () => {
    assert.equal(await asksAbout({ ageMs: 4 * minute }), false)
    assert.equal(await asksAbout({ ageMs: 6 * minute }), true)
    assert.equal(await asksAbout({ ageMs: 100 * minute, askedMs: 20 * minute }), false)
    assert.equal(await asksAbout({ ageMs: 100 * minute, askedMs: 50 * minute }), true)
    assert.equal(await asksAbout({ ageMs: 9000 * minute, askedMs: 350 * minute }), false)
    assert.equal(await asksAbout({ ageMs: 9000 * minute, askedMs: 370 * minute }), true)
  })

  test('goes on with the next one when Stripe fails on one', async () => {
    const broken = await begin({ ageMs: 9 * minute })
    const whole = await begin({ ageMs: 8 * minute })
    for (const { session } of [broken, whole]) stripe.pay(session)
    stripe.faults.push('fail', 'fail', 'fail')
    await reconcilePayments(engine, { atStart: false })
    assert.deepEqual([await stateOf(broken.id), await stateOf(whole.id)], ['open', 'paid'])
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(broken.id), 'open', 'it has its turn later')
  })

  test('waits for the key to be back, and gives up nothing meanwhile', async () => {
    const { id, session } = await begin({ ageMs: 9000 * minute })
    stripe.pay(session)
    await reconcilePayments({ ...engine, stripe: undefined }, { atStart: true })
    assert.equal(await stateOf(id), 'open')
    await reconcilePayments(engine, { atStart: true })
    assert.equal(await stateOf(id), 'paid')
  })

  test('gives up after 30 days what Stripe does not know', async () => {
    const old = await begin({ ageMs: limits.unpaidPaymentMs + minute })
    const young = await begin({ ageMs: limits.unpaidPaymentMs - minute })
    for (const { session } of [old, young]) stripe.sessions.delete(session.id)
    await reconcilePayments(engine, { atStart: false })
    assert.deepEqual([await stateOf(old.id), await stateOf(young.id)], ['expired', 'open'])
  })

  test('gives up what nobody has the link of, and forgets after 30 days what came to nothing', async () => {
    const { id } = await begin({ ageMs: 2 * limits.checkoutMs + minute })
    await engine.db.updateTable('payments').set({ session_id: null }).where('id', '=', id).execute()
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(id), 'expired')
    const old = Date.now() - limits.unpaidPaymentMs - minute
    await engine.db.updateTable('payments').set({ updated_at: old }).execute()
    const paid = await engine.db.selectFrom('payments').select('id').where('state', '=', 'paid').execute()
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(id), undefined)
    for (const payment of paid) assert.equal(await stateOf(payment.id), 'paid')
  })
})
