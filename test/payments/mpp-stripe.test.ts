import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Challenge, Credential, Receipt } from 'mppx'
import { Fetch, stripe as stripeClient } from 'mppx/client'
import { testDataDirectory } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { StripeServer } from '../support/fake-stripe.ts'
import { withDatabase } from '../support/with-database.ts'

describe('POST /topup by Stripe', { timeout: 300_000 }, () => {
  let stripe: StripeServer
  let server: TestApp
  let token: string
  before(async () => {
    stripe = await StripeServer.start()
    // Pending payments of other files would be checked at the start, and get the faults that are meant for a payment
    // here.
    await withDatabase((db) => db.deleteFrom('payments').where('state', 'in', ['open', 'processing']).execute())
    server = await TestApp.start({
      env: {
        ...stripe.env,
        CARREL_STRIPE_PROFILE: 'profile_carrel',
        CARREL_TEMPO_RECIPIENT: '0x1111111111111111111111111111111111111111',
        // Only the card is used here.
        CARREL_TEMPO_RPC: 'http://127.0.0.1:9',
      },
    })
  })
  beforeEach(async () => {
    token = await server.newAccount()
    stripe.faults.length = 0
  })
  after(async () => {
    await server.stop()
    await stripe.stop()
  })

  const method = (spt = 'spt_good') => stripeClient.charge({ paymentMethod: 'pm_card', createToken: async () => spt })

  const pay = async (body: object, spt?: string) => {
    let credentials = 0
    let credential = ''
    const listening: typeof fetch = (input, init) => {
      const sent = new Headers(init?.headers).get('authorization') ?? ''
      if (sent.startsWith('Payment ')) {
        credential = sent
        credentials++
      }
      return fetch(input, init)
    }
    const response = await Fetch.from({ methods: [method(spt)], fetch: listening })(`${server.url}/topup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-session-token': token },
      body: JSON.stringify(body),
    })
    // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
    const answer = (await response.json()) as any
    return { status: response.status, headers: response.headers, body: answer, credential, credentials }
  }

  const again = (body: object, credential: string) =>
    server.post('/topup', body, { token: null, headers: { authorization: credential, 'x-session-token': token } })
  const balance = async () => (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining
  /** Returns this account's payments at Stripe. */
  const intents = () => [...stripe.intents.values()].filter(({ token: spt }) => spt !== undefined)
  const lastIntent = () => intents().at(-1)!
  const tell = (intent: object) => {
    const { body, signature } = stripe.event('payment_intent.succeeded', intent)
    return server.call('POST', '/billing/webhook', body, { token: null, headers: { 'stripe-signature': signature } })
  }

  test('both methods are offered, in a header each', async () => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
      request(`${server.url}/topup`, { method: 'POST', headers }, resolve)
        .on('error', reject)
        .end(JSON.stringify({ tier: 'starter' }))
    })
    response.resume()
    assert.equal(response.statusCode, 402)
    const lines = response.rawHeaders.filter((_, index, all) => index % 2 === 1 && /^www-auth/i.test(all[index - 1]!))
    const challenges = lines.map((line) => Challenge.deserialize(line))
    assert.deepEqual(
      challenges.map((challenge) => [challenge.method, challenge.request.amount]),
      [
        ['tempo', '5000000'],
        ['stripe', '500'],
      ],
    )
    assert.deepEqual(challenges[1]!.request.methodDetails, {
      networkId: 'profile_carrel',
      paymentMethodTypes: ['card', 'link'],
    })
  })

  test('the unmodified client pays, and Stripe stores the account', async () => {
    const { status, headers, body } = await pay({ tier: 'pro' })
    assert.deepEqual(
      [status, body],
      [
        200,
        {
          success: true,
          amountCents: 2000,
          creditsAdded: 22,
          creditsRemaining: 27,
          paymentMethodsAccepted: ['tempo', 'stripe'],
        },
      ],
    )
    const { method: name, reference } = Receipt.deserialize(headers.get('payment-receipt')!)
    const intent = lastIntent()
    assert.deepEqual([name, reference, intent.amount, intent.currency], ['stripe', intent.id, 2000, 'usd'])
    assert.equal(intent.metadata.carrel_tier, 'pro')
    const { body: me } = await server.call('GET', '/v1/me', undefined, { token })
    assert.equal(intent.metadata.carrel_account, me.workspace_id)
  })

  test('the same credential again, and the event of Stripe, credit nothing more', async () => {
    const { body, headers, credential } = await pay({ amountCents: 150 })
    const count = intents().length
    const second = await again({ amountCents: 150 }, credential)
    assert.deepEqual([second.status, second.body], [200, body])
    assert.equal(second.headers.get('payment-receipt'), headers.get('payment-receipt'))
    assert.equal((await tell(lastIntent())).status, 200)
    assert.equal((await tell(lastIntent())).status, 200)
    assert.deepEqual([await balance(), intents().length], [6.5, count])
  })

  test('a lost answer of Stripe is requested again: one payment, credited at once', async () => {
    const count = intents().length
    stripe.faults.push('lose-answer')
    const { status, body } = await pay({ tier: 'starter' })
    assert.deepEqual([status, body.creditsRemaining, intents().length], [200, 10, count + 1])
  })

  test('when every answer is lost nobody is asked to pay again, and the same request gets the credit', async () => {
    const count = intents().length
    stripe.faults.push('lose-answer', 'lose-answer', 'lose-answer')
    const { status, headers, body, credential, credentials } = await pay({ tier: 'starter' })
    assert.deepEqual([status, headers.get('www-authenticate'), credentials], [503, null, 1])
    assert.match(body.detail, /Do not pay again/)
    assert.equal(await balance(), 5)
    const second = await again({ tier: 'starter' }, credential)
    assert.deepEqual([second.status, second.body.creditsRemaining, intents().length], [200, 10, count + 1])
  })

  test('when every answer is lost the event credits the account and package that it names', async () => {
    for (const [body, credits] of [
      [{ tier: 'pro' }, 22],
      [{ amountCents: 250 }, 2.5],
    ] as const) {
      const had = await balance()
      stripe.faults.push('lose-answer', 'lose-answer', 'lose-answer')
      const { status, credential } = await pay(body)
      assert.equal(status, 503)
      assert.equal((await tell(lastIntent())).status, 200)
      assert.equal(await balance(), had + credits)
      const second = await again(body, credential)
      assert.deepEqual([second.status, second.body.creditsAdded, await balance()], [200, credits, had + credits])
    }
  })

  test('a declined card is a refusal of the payment', async () => {
    const { status, body } = await pay({ tier: 'starter' }, 'spt_declined')
    assert.deepEqual([status, body.type], [402, 'https://paymentauth.org/problems/verification-failed'])
    assert.match(body.detail, /declined/)
    assert.equal(await balance(), 5)
  })

  test('a slow payment is credited by the event', async () => {
    const { status, credentials } = await pay({ tier: 'starter' }, 'spt_slow')
    assert.deepEqual([status, credentials, await balance()], [503, 1, 5])
    Object.assign(lastIntent(), { status: 'succeeded', amount_received: 500 })
    await tell(lastIntent())
    assert.equal(await balance(), 10)
  })

  test('a token for one account buys nothing for another account, and no more expensive package', async () => {
    const { headers } = await server.post('/topup', { tier: 'micro' }, { token })
    const challenge = Challenge.fromHeadersList(headers).find(({ method: name }) => name === 'stripe')!
    const credential = Credential.serialize({ challenge, payload: { spt: 'spt_good' } })
    const count = intents().length
    for (const [body, as] of [
      [{ tier: 'scale' }, token],
      [{ tier: 'micro' }, await server.newAccount()],
    ] as const) {
      const answer = await server.post('/topup', body, {
        token: null,
        headers: { authorization: credential, 'x-session-token': as },
      })
      assert.deepEqual([answer.status, answer.body.type], [402, 'https://paymentauth.org/problems/invalid-challenge'])
    }
    assert.equal(intents().length, count)
  })
})

test('below 50 cents Stripe is not offered; as the only method it is refused with the reason', async () => {
  const stripe = await StripeServer.start()
  const prices = join(testDataDirectory, 'mpp-prices.json')
  writeFileSync(prices, '{"minimumTopUpCents":10}')
  const env = { ...stripe.env, CARREL_STRIPE_PROFILE: 'profile_carrel', CARREL_PRICE_BOOK: prices }
  const recipient = { CARREL_TEMPO_RECIPIENT: '0x1111111111111111111111111111111111111111' }
  try {
    const offered = async (more: Record<string, string>) => {
      const server = await TestApp.start({ env: { ...env, ...more } })
      try {
        const { status, headers, body } = await server.post('/topup', { amountCents: 49 })
        return status === 402
          ? Challenge.fromHeadersList(headers).map(({ method }) => method)
          : [status, body.code, body.field, body.minimum]
      } finally {
        await server.stop()
      }
    }
    assert.deepEqual(await offered(recipient), ['tempo'])
    assert.deepEqual(await offered({}), [400, 'INVALID_REQUEST', 'amountCents', 50])
  } finally {
    await stripe.stop()
  }
})
