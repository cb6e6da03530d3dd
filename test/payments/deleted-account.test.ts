import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { serverPlace } from '../support/server-database.ts'
import { TestApp } from '../support/test-app.ts'
import { StripeServer } from '../support/fake-stripe.ts'
import { deleteAccountNow } from '../support/delete-account-now.ts'
import { withDatabase } from '../support/with-database.ts'

type Thing = ReturnType<StripeServer['sessionAt']>

describe('payments for a deleted account', { timeout: 300_000 }, () => {
  let stripe: StripeServer
  let server: TestApp
  before(async () => {
    stripe = await StripeServer.start()
    server = await TestApp.start({ env: { ...stripe.env, CARREL_SWEEP_INTERVAL_MS: '100' } })
  })
  after(async () => {
    await server.stop()
    await stripe.stop()
    await withDatabase(async (db) => assert.deepEqual((await verifyBooks(db, 0)).problems, []))
  })

  const begin = async (token: string) => {
    const { status, body } = await server.post('/billing/deposit', { amount_cents: 2000 }, { token })
    assert.equal(status, 200)
    return stripe.sessionAt(body.checkout_url)
  }
  const tell = async (type: string, object: Thing) => {
    const { body: event, signature } = stripe.event(type, object)
    const headers = { 'stripe-signature': signature }
    const { status, body } = await server.post('/billing/webhook', event, { token: null, headers })
    assert.deepEqual([status, body], [200, { received: true }])
  }
  const accountOf = (session: Thing) => String(session.metadata.carrel_account)
  const stateOf = async (session: Thing) =>
    withDatabase(async (db) => {
      const rows = db.selectFrom('payments').select('state').where('id', '=', session.metadata.carrel_payment)
      return (await rows.executeTakeFirst())?.state
    })
  const review = async (...args: string[]) => {
    using home = new CliHome()
    return home.run(['ledger', 'review', ...args], { env: await serverPlace() })
  }
  /** Returns what was credited since the sign-up, and the events of it in the audit log. */
  const leftOf = (accountId: string) =>
    withDatabase(async (db) => {
      const transactions = db.selectFrom('ledger_transactions').select('kind').where('account_id', '=', accountId)
      const events = await db.selectFrom('events').select('type').where('account_id', '=', accountId).execute()
      return [(await transactions.execute()).filter(({ kind }) => kind === 'topup').length, events.length]
    })

  test('open links expire at Stripe when the account is deleted, those of others do not', async () => {
    const token = await server.newAccount()
    const session = await begin(token)
    const paid = await begin(token)
    stripe.pay(paid)
    const neighbours = await begin(await server.newAccount())
    await deleteAccountNow(accountOf(session))
    assert.deepEqual([session.status, paid.status, neighbours.status], ['expired', 'complete', 'open'])
    assert.deepEqual([await stateOf(session), await stateOf(neighbours)], ['expired', 'open'])
  })

  test('a payment that arrives all the same is held for review', async () => {
    const session = await begin(await server.newAccount())
    const accountId = accountOf(session)
    stripe.faults.push(...Array.from({ length: 50 }, () => 'fail' as const))
    await deleteAccountNow(accountId)
    stripe.faults.length = 0
    assert.equal(session.status, 'open', 'Stripe did not do as it was asked to, which does not hold up the deletion')
    assert.match(server.log(), /did not expire the payment link of a deleted account/)
    const intent = stripe.pay(session)
    for (let time = 0; time < 2; time++) await tell('checkout.session.completed', session)
    await tell('payment_intent.succeeded', intent)
    assert.equal(await stateOf(session), 'review')
    assert.deepEqual(await leftOf(accountId), [0, 0])
    assert.match(server.log(), /"level":50.*Stripe received 2000 usd for an account that is deleted/)
    const id = String(session.metadata.carrel_payment)
    const { stdout } = await review()
    assert.match(stdout, new RegExp(`${id} .*\n  Stripe received 2000 usd for.*\n  account ${accountId} \\(deleted\\)`))
    const credit = await review(id, '--credit', '20')
    assert.equal(credit.exitCode, 1)
    assert.match(credit.stderr, /its account is deleted; refund it, then dismiss it/)
    await tell('refund.created', stripe.refund(intent, 2000))
    assert.equal((await review(id, '--dismiss')).stdout, 'Dismissed.\n')
    await tell('payment_intent.succeeded', intent)
    assert.deepEqual([await stateOf(session), (await leftOf(accountId))[0]], ['dismissed', 0])
  })

  test('a payment without a record is held for review too', async () => {
    const session = await begin(await server.newAccount())
    const accountId = accountOf(session)
    await deleteAccountNow(accountId)
    const metadata = { carrel_account: accountId, carrel_cents: '700' }
    const intent = stripe.addIntent({ amount: 700, metadata, status: 'succeeded' })
    await tell('payment_intent.succeeded', intent)
    assert.match(
      (await review()).stdout,
      new RegExp(`Stripe received 700 usd for .*\n.*${accountId}.*\n.*${intent.id}`),
    )
    assert.deepEqual(await leftOf(accountId), [0, 0])
  })

  test('a refund takes back what was credited before, as usual', async () => {
    const session = await begin(await server.newAccount())
    const intent = stripe.pay(session)
    await tell('checkout.session.completed', session)
    await deleteAccountNow(accountOf(session))
    await tell('refund.created', stripe.refund(intent, 2000))
    assert.equal(await stateOf(session), 'paid')
    const key = `stripe:re:${stripe.refunds.at(-1)!.id}`
    const taken = await withDatabase((db) =>
      db.selectFrom('ledger_transactions').select('id').where('key', '=', key).execute(),
    )
    assert.equal(taken.length, 1)
  })
})
