import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { totalsOf } from '../../src/engine/money/ledger/totals.ts'
import { reconcilePayments } from '../../src/engine/money/payments/reconcile-payments.ts'
import { startPayment } from '../../src/engine/money/payments/start-payment.ts'
import { StripeServer } from '../support/fake-stripe.ts'
import { Cleanup } from '../support/cleanup.ts'
import { openTestDatabase } from '../support/test-database.ts'
import { testEngine } from '../support/test-engine.ts'

const minute = 60_000

describe('reconcilePayments()', () => {
  const cleanup = new Cleanup()
  let stripe: StripeServer
  let engine: Engine
  let accountId: string
  before(async () => {
    stripe = await StripeServer.start()
    engine = await testEngine({ env: stripe.env, db: await openTestDatabase(cleanup) })
    accountId = await createAccount(engine.db, 'payer')
  })
  after(async () => {
    await engine.driver.close()
    await cleanup.run()
    await stripe.stop()
  })

  /** Starts a payment that is `ageMs` old and was last checked `checkedMs` ago. */
  const start = async ({ ageMs, checkedMs = ageMs }: { ageMs: number; checkedMs?: number }) => {
    const { id, url } = await startPayment(engine, { accountId, tokenId: 't' }, { tier: 'pro' })
    const now = Date.now()
    await engine.db
      .updateTable('payments')
      .set({ created_at: now - ageMs, updated_at: now - checkedMs })
      .where('id', '=', id)
      .execute()
    return { id, session: stripe.sessionAt(url) }
  }
  const stateOf = async (id: string) =>
    (await engine.db.selectFrom('payments').select('state').where('id', '=', id).executeTakeFirst())?.state
  const isChecked = async (times: { ageMs: number; checkedMs?: number }) => {
    const { id, session } = await start(times)
    await reconcilePayments(engine, { atStart: false })
    const isAsked = stripe.requests.some((request) => request.includes(session.id))
    await engine.db.deleteFrom('payments').where('id', '=', id).execute()
    return isAsked
  }

  test('credits a payment without an event', async () => {
    const { id, session } = await start({ ageMs: 6 * minute })
    stripe.pay(session)
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(id), 'paid')
    const { balanceMicros, depositedMicros } = await totalsOf(engine, accountId)
    assert.deepEqual([balanceMicros, depositedMicros], [27_000_000, 20_000_000])
  })

  test('checks after five minutes, then at intervals that grow with the age, at least every six hours', async () => {
    assert.equal(await isChecked({ ageMs: 4 * minute }), false)
    assert.equal(await isChecked({ ageMs: 6 * minute }), true)
    assert.equal(await isChecked({ ageMs: 100 * minute, checkedMs: 20 * minute }), false)
    assert.equal(await isChecked({ ageMs: 100 * minute, checkedMs: 50 * minute }), true)
    assert.equal(await isChecked({ ageMs: 9000 * minute, checkedMs: 350 * minute }), false)
    assert.equal(await isChecked({ ageMs: 9000 * minute, checkedMs: 370 * minute }), true)
  })

  test('continues with the next payment when Stripe fails on one', async () => {
    const broken = await start({ ageMs: 9 * minute })
    const whole = await start({ ageMs: 8 * minute })
    for (const { session } of [broken, whole]) stripe.pay(session)
    stripe.faults.push('fail', 'fail', 'fail')
    await reconcilePayments(engine, { atStart: false })
    assert.deepEqual([await stateOf(broken.id), await stateOf(whole.id)], ['open', 'paid'])
    await reconcilePayments(engine, { atStart: false })
    assert.equal(await stateOf(broken.id), 'open', 'it has its turn later')
  })

  test('waits until the key is back, and gives up nothing meanwhile', async () => {
    const { id, session } = await start({ ageMs: 9000 * minute })
    stripe.pay(session)
    await reconcilePayments({ ...engine, stripe: undefined }, { atStart: true })
    assert.equal(await stateOf(id), 'open')
    await reconcilePayments(engine, { atStart: true })
    assert.equal(await stateOf(id), 'paid')
  })

  test('gives up payments that Stripe does not know after 30 days', async () => {
    const old = await start({ ageMs: limits.unpaidPaymentMs + minute })
    const young = await start({ ageMs: limits.unpaidPaymentMs - minute })
    for (const { session } of [old, young]) stripe.sessions.delete(session.id)
    await reconcilePayments(engine, { atStart: false })
    assert.deepEqual([await stateOf(old.id), await stateOf(young.id)], ['expired', 'open'])
  })

  test('expires payments without a link, and deletes unpaid ones after 30 days', async () => {
    const { id } = await start({ ageMs: 2 * limits.checkoutMs + minute })
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
