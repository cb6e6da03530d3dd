import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { CliHome, resultOf } from '../../src/cli/testing/run-cli.ts'
import { StripeServer } from '../support/fake-stripe.ts'
import { serverDatabase, serverPlace } from '../support/server-database.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

type Thing = ReturnType<StripeServer['sessionAt']>

interface Tenant {
  accountId: string
  token: string
}

const database = async () => openDatabase(await serverDatabase())

async function newTenant(): Promise<Tenant> {
  const db = await database()
  const accountId = await createAccount(db, 'payer')
  const token = await createToken(db, accountId, 'test')
  await db.destroy()
  return { accountId, token }
}

describe('payments by Stripe', { timeout: 300_000 }, () => {
  let stripe: StripeServer
  let server: TestApp
  before(async () => {
    stripe = await StripeServer.start()
    server = await TestApp.start({ env: { ...stripe.env, CARREL_LOG_LEVEL: 'info' } })
  })
  after(async () => {
    await server.stop()
    await stripe.stop()
    const db = await database()
    const { problems } = await verifyBooks(db, 0)
    await db.destroy()
    assert.deepEqual(problems, [])
  })

  const deposit = (tenant: Tenant, body: unknown, headers: Record<string, string> = {}) =>
    server.post('/billing/deposit', body, { token: tenant.token, headers })
  const topUp = (tenant: Tenant, body: unknown) => server.post('/api/v1/credits/topup', body, { token: tenant.token })
  const billing = async ({ token }: Tenant) => (await server.call('GET', '/billing/balance', undefined, { token })).body
  const balance = async (tenant: Tenant): Promise<number> => (await billing(tenant)).balance
  const deliver = ({ body, signature }: { body: string; signature: string }) =>
    server.post('/billing/webhook', body, { token: null, headers: { 'stripe-signature': signature } })
  const tell = async (type: string, object: Thing, change: Thing = {}) => {
    const { status, body } = await deliver(stripe.event(type, object, change))
    assert.deepEqual([status, body], [200, { received: true }])
  }
  const begin = async (tenant: Tenant, cents = 2000) => {
    const { status, body } = await deposit(tenant, { amount_cents: cents })
    assert.equal(status, 200)
    return stripe.sessionAt(body.checkout_url)
  }
  const paid = async (tenant: Tenant, cents = 2000) => {
    const session = await begin(tenant, cents)
    const intent = stripe.pay(session)
    await tell('checkout.session.completed', session)
    return { session, intent }
  }
  const isLogged = (line: RegExp) =>
    until(
      () => server.log(),
      (log) => line.test(log),
    )
  const paymentOf = async ({ metadata }: Thing) => {
    const db = await database()
    const row = await db.selectFrom('payments').selectAll().where('id', '=', metadata.carrel_payment).executeTakeFirst()
    await db.destroy()
    return row!
  }
  const page = (path: string, payment: string) =>
    server.call('GET', `/billing/${path}?payment=${payment}`, undefined, { token: null })

  test('a deposit leads to a Checkout session that says what is bought, and for whom', async () => {
    const tenant = await newTenant()
    const { status, body } = await deposit(tenant, { amount_cents: 500 })
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['checkout_url', 'amount_cents', 'currency'])
    assert.deepEqual([body.amount_cents, body.currency], [500, 'usd'])
    const session = stripe.sessionAt(body.checkout_url)
    assert.deepEqual([session.mode, session.currency, session.amount_total], ['payment', 'usd', 500])
    const { carrel_payment: id, ...metadata } = session.metadata
    assert.deepEqual(metadata, { carrel_account: tenant.accountId, carrel_cents: '500' })
    assert.deepEqual(session.payment_intent_data.metadata, session.metadata)
    assert.equal(session.client_reference_id, id)
    assert.equal(session.success_url, `${server.url}/billing/return?payment=${id}`)
    assert.equal(session.cancel_url, `${server.url}/billing/cancel?payment=${id}`)
    assert.ok(Number(session.expires_at) * 1000 > Date.now() + 30 * 60_000)
    const { user_id, last_updated, ...shown } = await billing(tenant)
    assert.deepEqual(shown, { balance: 500, total_deposited: 0, total_spent: 0, stripe_customer_id: null })
    assert.equal(user_id, tenant.accountId)
    assert.ok(Math.abs(Date.parse(last_updated) - Date.now()) < 60_000)
  })

  test('a package gives its bonus', async () => {
    const tenant = await newTenant()
    const { body } = await topUp(tenant, { tier: 'pro' })
    assert.deepEqual([body.amountCents, body.creditsAdded, body.currency], [2000, 22, 'usd'])
    const session = stripe.sessionAt(body.checkoutUrl)
    assert.equal(session.metadata.carrel_tier, 'pro')
    stripe.pay(session)
    await tell('checkout.session.completed', session)
    assert.deepEqual(
      await billing(tenant).then(({ balance, total_deposited }) => [balance, total_deposited]),
      [2700, 2000],
    )
  })

  test('a payment is credited once, whatever reports it, however often and in whatever order', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    const intent = stripe.pay(session)
    const events = [
      stripe.event('payment_intent.succeeded', intent),
      stripe.event('checkout.session.completed', session),
      stripe.event('checkout.session.async_payment_succeeded', session),
    ]
    const answers = await Promise.all([...events, ...events.toReversed(), ...events].map(deliver))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal(await balance(tenant), 2500)
    const row = await paymentOf(session)
    assert.deepEqual([row.state, row.key, row.intent_id], ['paid', `stripe:pi:${intent.id}`, intent.id])
    const { body } = await server.call('GET', '/balance', undefined, { token: tenant.token })
    assert.equal(body.creditsRemaining, 25)
  })

  test('a debit that takes days is credited when the money has arrived, and not before', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    const intent = stripe.pay(session, 'processing')
    await tell('checkout.session.completed', session)
    assert.equal(await balance(tenant), 500)
    assert.equal((await paymentOf(session)).state, 'processing')
    Object.assign(intent, { status: 'succeeded', amount_received: intent.amount })
    await tell('checkout.session.async_payment_succeeded', session)
    assert.equal(await balance(tenant), 2500)
  })

  test('a failed debit and an expired session are not credited', async () => {
    const tenant = await newTenant()
    const failing = await begin(tenant)
    const intent = stripe.pay(failing, 'processing')
    await tell('checkout.session.completed', failing)
    intent.status = 'requires_payment_method'
    await tell('checkout.session.async_payment_failed', failing)
    const expiring = await begin(tenant)
    expiring.status = 'expired'
    await tell('checkout.session.expired', expiring)
    assert.deepEqual([(await paymentOf(failing)).state, (await paymentOf(expiring)).state], ['failed', 'expired'])
    assert.equal(await balance(tenant), 500)
  })

  test('an old event that arrives last changes nothing', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    const early = stripe.event('checkout.session.expired', session)
    stripe.pay(session)
    await tell('checkout.session.completed', session)
    assert.equal((await deliver(early)).status, 200)
    assert.deepEqual([(await paymentOf(session)).state, await balance(tenant)], ['paid', 2500])
  })

  test('an event is accepted only with a signature of its exact bytes of the last five minutes', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session)
    const { body, signature } = stripe.event('checkout.session.completed', session)
    const forged = [
      { body, signature: '' },
      { body, signature: 't=1,v1=00' },
      { body: body.replace('"livemode":false', '"livemode": false'), signature },
      stripe.sign(body, { secret: 'whsec_other' }),
      stripe.sign(body, { timestamp: Math.floor(Date.now() / 1000) - 301 }),
      stripe.sign('no json'),
      stripe.sign(''),
    ]
    for (const one of forged) {
      const { status, body } = await deliver(one)
      assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'])
    }
    assert.equal((await server.post('/billing/webhook', body, { token: null })).status, 400)
    assert.equal((await deliver(stripe.sign('x'.repeat(1024 * 1024 + 1)))).status, 413)
    assert.equal(await balance(tenant), 500)
    assert.equal((await deliver({ body, signature })).status, 200)
    assert.equal(await balance(tenant), 2500)
  })

  test('an event without a signature is refused before its body is read', async () => {
    const old = Math.floor(Date.now() / 1000) - 301
    for (const signature of ['', 'none', `t=${old},v1=${'0'.repeat(64)}`, `t=1,${'t=1,'.repeat(3000)}`]) {
      const headers = { 'content-type': 'application/json', 'content-length': 1_000_000, 'stripe-signature': signature }
      const request = httpRequest(`${server.url}/billing/webhook`, { method: 'POST', headers })
      request.flushHeaders()
      const [{ statusCode }] = (await once(request, 'response')) as [IncomingMessage]
      assert.equal(statusCode, 400)
      request.destroy()
    }
  })

  test('events without an effect here are answered with 200, and logged', async () => {
    const foreign = stripe.addIntent({ amount: 900, status: 'succeeded', metadata: { shop: 'another' } })
    const elsewhere = stripe.addIntent({ amount: 900, status: 'succeeded', metadata: { carrel_account: 'elsewhere' } })
    await tell('customer.created', { id: 'cus_1', object: 'customer' })
    await tell('charge.refunded', { id: 'ch_1', object: 'charge', payment_intent: null })
    await tell('payment_intent.succeeded', foreign)
    await tell('payment_intent.succeeded', elsewhere)
    await tell('charge.dispute.created', stripe.dispute(foreign, 900))
    await isLogged(/"type":"customer\.created".*ignored: it has no effect here/)
    await isLogged(new RegExp(`"intent":"${elsewhere.id}".*not for an account of this server`))
  })

  test('an event about no object, or about one that Stripe does not have, is not requested again', async () => {
    for (const body of ['null', '5', '[]', '{}', '{"data":null}', '{"data":{"object":null}}'])
      assert.equal((await deliver(stripe.sign(body))).status, 200, body)
    await isLogged(/"level":40.*it concerns no object/)
    await tell('checkout.session.completed', { id: 'cs_test_unknown' })
    await tell('payment_intent.succeeded', { id: 'pi_unknown' })
    await tell('charge.refunded', { id: 'ch_unknown', payment_intent: 'pi_unknown' })
    await isLogged(/"level":40.*"object":"ch_unknown".*Stripe has no such object/)
    assert.doesNotMatch(server.log(), /"level":50.*No such object/)
  })

  test('an event of the other mode is ignored', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session)
    await tell('checkout.session.completed', session, { livemode: true })
    assert.equal(await balance(tenant), 500)
    await isLogged(/"livemode":true.*its mode differs from that of the key/)
    await tell('checkout.session.completed', session)
    assert.equal(await balance(tenant), 2500)
  })

  describe('a payment that is held for review', () => {
    /** Runs the operator's command, beside the server. */
    const ledger = async (...args: string[]) => {
      using home = new CliHome()
      return home.run(['ledger', ...args], { env: await serverPlace() })
    }
    const holdForReview = async () => {
      const tenant = await newTenant()
      const session = await begin(tenant)
      const intent = stripe.pay(session, 'succeeded', { currency: 'eur' })
      await tell('checkout.session.completed', session)
      return { tenant, session, intent, id: String(session.metadata.carrel_payment) }
    }
    const waiting = async () =>
      (JSON.parse((await ledger('review', '--json')).stdout) as { payments: { paymentId: string }[] }).payments
    const eventsOf = async ({ accountId }: Tenant) => {
      const db = await database()
      const events = await db
        .selectFrom('events')
        .select(['type', 'actor'])
        .where('account_id', '=', accountId)
        .execute()
      await db.destroy()
      return events.map(({ type, actor }) => `${type} by ${actor}`)
    }

    test('is listed with the received money, the account and the requested amount', async () => {
      const { tenant, intent, id } = await holdForReview()
      const found = (await waiting()).find(({ paymentId }) => paymentId === id) as Record<string, unknown> | undefined
      const { createdAtMs, ...facts } = found!
      assert.ok(Math.abs(Number(createdAtMs) - Date.now()) < 60_000)
      assert.deepEqual(facts, {
        paymentId: id,
        accountId: tenant.accountId,
        accountName: 'payer',
        method: 'stripe',
        cents: 2000,
        intentId: intent.id,
        reason: 'Stripe received 2000 eur, which cannot be credited',
      })
      const { exitCode, stdout } = await ledger('review')
      assert.equal(exitCode, 0)
      assert.match(stdout, new RegExp(`^${id}  .*\n  Stripe received 2000 eur.*; \\$20\\.00 was requested\n`, 'm'))
    })

    test('is credited by the operator once, also by several commands at the same time', async () => {
      const { tenant, session, intent, id } = await holdForReview()
      const answers = await Promise.all([1, 2, 3].map(() => ledger('review', id, '--credit', '18.50', '--json')))
      assert.ok(
        answers.every(({ exitCode }) => exitCode === 0),
        answers.map(({ stderr }) => stderr).join(''),
      )
      assert.equal(answers.filter(({ stdout }) => JSON.parse(stdout).isNew === true).length, 1)
      assert.match(
        (await ledger('review', id, '--credit', '18.5')).stdout,
        /^The payment was credited before with \$18\.50/,
      )
      assert.equal(await balance(tenant), 500 + 1850)
      const row = await paymentOf(session)
      assert.deepEqual([row.state, row.key], ['paid', `stripe:pi:${intent.id}`])
      assert.equal((await waiting()).filter(({ paymentId }) => paymentId === id).length, 0)
      const events = await eventsOf(tenant)
      assert.equal(events.filter((event) => event === 'payment.credited by operator').length, 1)
      const other = await ledger('review', id, '--credit', '19')
      assert.deepEqual([other.exitCode, other.stdout], [1, ''])
      assert.match(other.stderr, /it was credited before, with 1850 cents/)
      assert.equal((await ledger('review', id, '--dismiss')).exitCode, 1)
      // Later events of Stripe change nothing.
      stripe.refund(intent, 2000)
      await tell('payment_intent.succeeded', intent)
      assert.deepEqual([await balance(tenant), (await paymentOf(session)).state], [2350, 'paid'])
      assert.equal((await eventsOf(tenant)).filter((event) => event.startsWith('payment.put_aside')).length, 1)
      assert.match((await page('return', id)).body, /\$18\.50/)
    })

    test('can be dismissed when it is settled elsewhere, and stays dismissed', async () => {
      const { tenant, session, id } = await holdForReview()
      assert.deepEqual([(await ledger('review', id, '--dismiss')).stdout], ['Dismissed.\n'])
      assert.deepEqual([(await ledger('review', id, '--dismiss')).stdout], ['The payment was dismissed before.\n'])
      const credit = await ledger('review', id, '--credit', '20')
      assert.equal(credit.exitCode, 1)
      assert.match(credit.stderr, /it is not held for review, its state is "dismissed"/)
      await tell('checkout.session.completed', session)
      assert.deepEqual([await balance(tenant), (await paymentOf(session)).state], [500, 'dismissed'])
      assert.match((await page('return', id)).body, /Settled/)
      assert.ok((await eventsOf(tenant)).includes('payment.dismissed by operator'))
    })

    test('is the only kind that can be settled so', async () => {
      const tenant = await newTenant()
      const open = await begin(tenant)
      const { session } = await paid(tenant)
      for (const { metadata } of [open, session]) {
        const { exitCode, stderr } = await ledger('review', String(metadata.carrel_payment), '--credit', '5')
        assert.equal(exitCode, 1)
        assert.match(stderr, /it is not held for review|it was credited before/)
      }
      assert.match((await ledger('review', 'none', '--credit', '5')).stderr, /there is no such payment/)
      const tooMuch = await ledger('review', (await holdForReview()).id, '--credit', '10000.01')
      assert.deepEqual([tooMuch.exitCode, tooMuch.stdout], [1, ''])
      assert.equal(await balance(tenant), 2500)
    })
  })

  test('another currency is held for review', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session, 'succeeded', { currency: 'jpy' })
    for (let time = 0; time < 2; time++) await tell('checkout.session.completed', session)
    const row = await paymentOf(session)
    assert.deepEqual([row.state, row.key, await balance(tenant)], ['review', null, 500])
    assert.match(row.data, /Stripe received 2000 jpy/)
    const db = await database()
    const events = await db.selectFrom('events').select('type').where('account_id', '=', tenant.accountId).execute()
    await db.destroy()
    assert.equal(events.filter(({ type }) => type === 'payment.put_aside').length, 1)
  })

  test('an amount other than the requested one is credited as it came, without a bonus', async () => {
    for (const [received, cents] of [
      [1500, 2000],
      [2500, 3000],
    ] as const) {
      const tenant = await newTenant()
      const session = stripe.sessionAt((await topUp(tenant, { tier: 'pro' })).body.checkoutUrl)
      stripe.pay(session, 'succeeded', { amount_received: received })
      await tell('checkout.session.completed', session)
      assert.equal(await balance(tenant), cents)
      const { body } = await page('return', session.metadata.carrel_payment)
      assert.match(
        body,
        new RegExp(`Thank you[^]*\\$${received / 100}\\.00[^]*for \\$${received / 100}\\.00 of\\s+credit`),
      )
    }
    await isLogged(/"requested":2000,"received":1500.*an amount other than the requested one/)
  })

  test('a machine payment whose answer was lost is credited by its event', async () => {
    const tenant = await newTenant()
    const metadata = { carrel_account: tenant.accountId, carrel_tier: 'pro' }
    const intent = stripe.addIntent({ amount: 2000, status: 'succeeded', metadata })
    for (let time = 0; time < 2; time++) await tell('payment_intent.succeeded', intent)
    assert.equal(await balance(tenant), 2700)
    const cents = { carrel_account: tenant.accountId, carrel_cents: '150' }
    await tell('payment_intent.succeeded', stripe.addIntent({ amount: 150, status: 'succeeded', metadata: cents }))
    assert.equal(await balance(tenant), 2850)
  })

  test('refunds take back their part of the payment and of its bonus, once', async () => {
    const tenant = await newTenant()
    const session = stripe.sessionAt((await topUp(tenant, { tier: 'pro' })).body.checkoutUrl)
    const intent = stripe.pay(session)
    await tell('checkout.session.completed', session)
    const charge = { id: 'ch_1', object: 'charge', payment_intent: intent.id }
    const first = stripe.refund(intent, 500)
    await tell('charge.refunded', charge)
    assert.equal(await balance(tenant), 2700 - 550)
    await tell('refund.created', first)
    await tell('refund.updated', first)
    assert.equal(await balance(tenant), 2700 - 550)
    await tell('refund.created', stripe.refund(intent, 1500, 'pending'))
    assert.equal(await balance(tenant), 500)
    assert.equal((await billing(tenant)).total_deposited, 2000)
  })

  test('a failed refund is reversed, also when its start is reported afterwards', async () => {
    const tenant = await newTenant()
    const { intent } = await paid(tenant)
    const refund = stripe.refund(intent, 2000, 'pending')
    const created = stripe.event('refund.created', refund)
    await deliver(created)
    assert.equal(await balance(tenant), 500)
    refund.status = 'failed'
    for (let time = 0; time < 2; time++) await tell('refund.updated', refund)
    assert.equal(await balance(tenant), 2500)
    await deliver(created)
    assert.equal(await balance(tenant), 2500)
    await tell('refund.created', stripe.refund(intent, 2000))
    assert.equal(await balance(tenant), 500)
  })

  test('a full refund that is reported before the payment leaves no credit', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    const intent = stripe.pay(session)
    await tell('refund.created', stripe.refund(intent, 2000))
    assert.equal(await balance(tenant), 500)
    await tell('checkout.session.completed', session)
    assert.equal(await balance(tenant), 500)
    assert.equal((await billing(tenant)).total_deposited, 2000)
  })

  test('a dispute takes the money until it is won, an inquiry takes nothing', async () => {
    const tenant = await newTenant()
    const { intent } = await paid(tenant)
    const dispute = stripe.dispute(intent, 2000, 'warning_needs_response')
    await tell('charge.dispute.created', dispute)
    assert.equal(await balance(tenant), 2500)
    dispute.status = 'needs_response'
    const created = stripe.event('charge.dispute.created', dispute)
    await deliver(created)
    await tell('charge.dispute.funds_withdrawn', dispute)
    assert.equal(await balance(tenant), 500)
    dispute.status = 'won'
    await tell('charge.dispute.funds_reinstated', dispute)
    await tell('charge.dispute.closed', dispute)
    await deliver(created)
    assert.equal(await balance(tenant), 2500)
    const { intent: another } = await paid(tenant)
    await tell('charge.dispute.closed', stripe.dispute(another, 2000, 'lost'))
    assert.equal(await balance(tenant), 2500)
  })

  test('a dispute of a refunded payment takes no more than was paid', async () => {
    const tenant = await newTenant()
    const { intent } = await paid(tenant)
    await tell('refund.created', stripe.refund(intent, 1500))
    await tell('charge.dispute.created', stripe.dispute(intent, 2000))
    assert.equal(await balance(tenant), 500)
  })

  test('a request repeated after a lost answer gets the same session', async () => {
    const tenant = await newTenant()
    const before = stripe.sessions.size
    stripe.faults.push('lose-answer')
    const session = await begin(tenant)
    assert.equal(stripe.sessions.size, before + 1)
    stripe.pay(session)
    await tell('checkout.session.completed', session)
    assert.equal(await balance(tenant), 2500)
  })

  test('a repeated request with the same Idempotency-Key gets the same link', async () => {
    const tenant = await newTenant()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const before = stripe.sessions.size
    const first = await deposit(tenant, { amount_cents: 900 }, headers)
    const again = await deposit(tenant, { amount_cents: 900 }, headers)
    assert.deepEqual(again.body, first.body)
    assert.equal(stripe.sessions.size, before + 1)
  })

  test('a session whose answers were all lost is still credited when it is paid', async () => {
    const tenant = await newTenant()
    const known = new Set(stripe.sessions.keys())
    stripe.faults.push('lose-answer', 'lose-answer', 'lose-answer')
    const { status, body } = await deposit(tenant, { amount_cents: 2000 })
    assert.deepEqual([status, body.code, body.retryable], [503, 'UNAVAILABLE', true])
    const id = [...stripe.sessions.keys()].find((id) => !known.has(id))
    const session = stripe.sessions.get(id!)!
    stripe.pay(session)
    await tell('checkout.session.completed', session)
    assert.equal(await balance(tenant), 2500)
    assert.deepEqual([(await paymentOf(session)).state, (await paymentOf(session)).session_id], ['paid', id])
  })

  test('an event that is repeated after a lost answer is credited once', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session)
    const { body, signature } = stripe.event('checkout.session.completed', session)
    const asked = stripe.requests.length
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature }
    const request = httpRequest(`${server.url}/billing/webhook`, { method: 'POST', headers }).on('error', () => {})
    request.end(body)
    await until(
      () => stripe.requests.length,
      (count) => count > asked,
    )
    request.destroy()
    assert.equal((await deliver({ body, signature })).status, 200)
    assert.equal(await balance(tenant), 2500)
  })

  test('while Stripe does not answer, it is asked to send the event again', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session)
    const event = stripe.event('checkout.session.completed', session)
    stripe.faults.push('fail', 'lose-answer', 'fail')
    const { status, body } = await deliver(event)
    assert.deepEqual([status, body.code], [503, 'UNAVAILABLE'])
    assert.equal(await balance(tenant), 500)
    assert.equal((await deliver(event)).status, 200)
    assert.equal(await balance(tenant), 2500)
  })

  test('a repeated event is credited after the server was killed between the first event and the credit', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    stripe.pay(session)
    const event = stripe.event('checkout.session.completed', session)
    const asked = stripe.requests.length
    stripe.faults.push('silence')
    const lost = deliver(event).catch((error: Error) => error)
    // The event was verified: the server checks the session.
    await until(
      () => stripe.requests.length,
      (count) => count > asked,
    )
    await server.stop('SIGKILL')
    assert.ok((await lost) instanceof Error)
    // Keeps the check at the start from finding the payment.
    stripe.faults.push('silence')
    server = await TestApp.start({ env: { ...stripe.env, CARREL_LOG_LEVEL: 'info' } })
    await until(
      () => stripe.faults.length,
      (left) => left === 0,
    )
    assert.equal(await balance(tenant), 500)
    for (let time = 0; time < 2; time++) assert.equal((await deliver(event)).status, 200)
    assert.equal(await balance(tenant), 2500)
  })

  test('a payment without an event is found at the next start', async () => {
    const tenant = await newTenant()
    const paid = await begin(tenant)
    stripe.pay(paid)
    const late = await begin(tenant)
    stripe.pay(late, 'processing')
    await server.stop()
    server = await TestApp.start({ env: { ...stripe.env, CARREL_LOG_LEVEL: 'info' } })
    assert.equal(
      await until(
        () => balance(tenant),
        (cents) => cents > 500,
      ),
      2500,
    )
    await until(
      () => paymentOf(late),
      ({ state }) => state === 'processing',
    )
  })

  test('the return page shows the payment before any event has arrived', async () => {
    const tenant = await newTenant()
    const session = await begin(tenant)
    const id = session.metadata.carrel_payment
    const waiting = await page('return', id)
    assert.equal(waiting.status, 200)
    assert.match(waiting.body, /Waiting for the payment[^]*\$20\.00/)
    assert.match(waiting.body, /http-equiv="refresh"/)
    assert.match(waiting.headers.get('content-security-policy')!, /default-src 'none'/)
    assert.match((await page('cancel', id)).body, /Nothing was paid/)
    stripe.pay(session)
    const { body } = await until(
      () => page('return', id),
      ({ body }) => body.includes('Thank you'),
    )
    assert.ok(!body.includes('http-equiv="refresh"') && !body.includes(tenant.accountId))
    assert.equal(await balance(tenant), 2500)
    assert.match((await page('cancel', id)).body, /Thank you/)
    for (const path of ['return', 'cancel']) {
      const missing = await page(path, 'none')
      assert.deepEqual([missing.status, missing.headers.get('content-type')], [404, 'text/html; charset=utf-8'])
    }
  })

  test('carrel topup prints the link, and with --wait waits until it is paid', async () => {
    const tenant = await newTenant()
    using home = new CliHome()
    const env = { CARREL_URL: server.url, CARREL_TOKEN: tenant.token }
    const known = new Set(stripe.sessions.keys())
    const result = resultOf(home.spawn(['topup', 'pro', '--wait'], { env }))
    const id = await until(
      () => [...stripe.sessions.keys()].find((id) => !known.has(id)),
      (id) => id !== undefined,
    )
    const session = stripe.sessions.get(id!)!
    stripe.pay(session)
    await tell('checkout.session.completed', session)
    const { exitCode, stdout } = await result
    assert.deepEqual([exitCode, stdout], [0, `${session.url}\nCredits  $27.00\n`])
    const wrong = await home.run(['topup', 'huge'], { env })
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /"huge": .* or a package \(micro, starter, pro, scale\)/)
  })

  test('an invalid amount cannot be deposited', async () => {
    const tenant = await newTenant()
    const before = stripe.sessions.size
    const amounts = [499, 0, -500, 500.5, 1e18, 1_000_001, '500', 'NaN', null, [500], { cents: 500 }, true]
    for (const amount_cents of amounts) {
      const { status, body } = await deposit(tenant, { amount_cents })
      assert.deepEqual(
        [status, body.code, body.field],
        [422, 'INVALID_REQUEST', 'amount_cents'],
        JSON.stringify(amount_cents),
      )
    }
    for (const raw of ['{"amount_cents":NaN}', '{"amount_cents":1e400}', '{"amount_cents":0x1F4}', '{}', '[]', ''])
      assert.equal((await deposit(tenant, raw)).status, 422, raw)
    for (const currency of ['eur', '', 7]) {
      const { status, body } = await deposit(tenant, { amount_cents: 500, currency })
      assert.deepEqual([status, body.field], [422, 'currency'])
    }
    for (const amountCents of [99, 0, -100, 100.5, 1e18, 1_000_001, '100', null, true]) {
      const { status, body } = await topUp(tenant, { amountCents })
      assert.deepEqual([status, body.error, Object.keys(body)], [400, 'VALIDATION_ERROR', ['error', 'message']])
      assert.match(body.message, /amountCents|cents: it has to be a whole number/)
    }
    for (const body of [{}, { tier: 'pro', amountCents: 100 }, { tier: 'huge' }, { tier: '__proto__' }, { tier: 5 }])
      assert.equal((await topUp(tenant, body)).status, 400)
    assert.equal(stripe.sessions.size, before)
    assert.equal((await deposit(tenant, { amount_cents: 1_000_000, currency: 'USD' })).status, 200)
    assert.equal((await topUp(tenant, { amountCents: 100 })).status, 200)
  })

  test('Pawpado answers a missing token in its own envelope', async () => {
    const { status, body } = await server.post('/api/v1/credits/topup', { tier: 'pro' }, { token: null })
    assert.deepEqual([status, body.error, Object.keys(body)], [401, 'UNAUTHENTICATED', ['error', 'message']])
  })

  test('open links are limited', async () => {
    const tenant = await newTenant()
    const asked = await Promise.all(Array.from({ length: 50 }, () => deposit(tenant, { amount_cents: 500 })))
    assert.ok(asked.every(({ status }) => status === 200))
    const { status, body } = await deposit(tenant, { amount_cents: 500 })
    assert.deepEqual([status, body.code], [429, 'LIMIT_REACHED'])
    assert.equal((await deposit(await newTenant(), { amount_cents: 500 })).status, 200)
  })

  test('the history lists usage page by page, in cents', async () => {
    const { token } = await newTenant()
    for (const sessionId of ['history-1', 'history-2'])
      await server.post('/execute', { code: 'sleep 0.3', language: 'shell', sessionId }, { token })
    const read = async (query = '') => (await server.call('GET', `/billing/usage${query}`, undefined, { token })).body
    const all = await until(read, ({ total_count }) => total_count === 2)
    assert.deepEqual([all.page, all.limit, all.has_more, all.items.length], [1, 25, false, 2])
    assert.deepEqual([all.current_balance_cents, all.total_deposits_cents, all.total_usage_cents], [499, 0, 1])
    const pages = [await read('?page=1&limit=1'), await read('?page=2&limit=1'), await read('?page=3&limit=1')]
    assert.deepEqual(
      pages.map(({ has_more }) => has_more),
      [true, false, false],
    )
    assert.deepEqual(
      pages.flatMap(({ items }) => items),
      all.items,
    )
    assert.ok(all.items[0].amount_cents > 0 && all.items[0].amount_cents < 0.1)
    for (const query of ['?page=0', '?page=-1', '?page=x', '?limit=0', '?limit=101', '?limit=1.5', '?limit='])
      assert.equal((await server.call('GET', `/billing/usage${query}`, undefined, { token })).status, 422, query)
    const misspelt = await server.call('GET', '/billing/usage?pages=1', undefined, { token })
    assert.equal(misspelt.status, 200)
    assert.match(misspelt.headers.get('carrel-hint')!, /"pages".*"page"/)
  })

  test('prices are public', async () => {
    const { status, body } = await server.call('GET', '/billing/pricing', undefined, { token: null })
    assert.equal(status, 200)
    assert.deepEqual(
      [body.minimum_deposit_cents, body.maximum_deposit_cents, body.new_account_cents],
      [500, 1_000_000, 500],
    )
    assert.deepEqual(body.rates[0], { meter: 'compute', unit: 's', cents_per_unit: 0.01 })
    assert.deepEqual(body.packages[2], { name: 'pro', amount_cents: 2000, bonus_percent: 10 })
  })
})
