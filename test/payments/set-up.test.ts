import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StripeServer } from '../support/fake-stripe.ts'
import { TestApp } from '../support/test-app.ts'

/** Returns the log lines about them; the server checks older payments too. */
function linesOfRequests(server: TestApp): string {
  return server
    .log()
    .split('\n')
    .filter((line) => line.includes('"reqId"'))
    .join('\n')
}

test('without a payment method the answer names the settings', async () => {
  const server = await TestApp.start({ env: { CARREL_LOG_LEVEL: 'info' } })
  const deposit = await server.post('/billing/deposit', { amount_cents: 500 })
  assert.deepEqual([deposit.status, deposit.body.code, deposit.body.retryable], [501, 'NOT_SET_UP', false])
  assert.deepEqual(deposit.body.settings, ['CARREL_STRIPE_KEY', 'CARREL_STRIPE_WEBHOOK_SECRET', 'CARREL_PLAY_MONEY'])
  const topUp = await server.post('/api/v1/credits/topup', { tier: 'pro' })
  assert.deepEqual([topUp.status, topUp.body.error, Object.keys(topUp.body)], [501, 'NOT_SET_UP', ['error', 'message']])
  for (const { body } of [deposit, topUp]) assert.match(body.message ?? body.error, /set CARREL_STRIPE_KEY and/)
  const webhook = await server.post('/billing/webhook', {}, { token: null })
  assert.deepEqual([webhook.status, webhook.body.code], [501, 'NOT_SET_UP'])
  assert.match(webhook.body.error, /takes no payments.*set CARREL_STRIPE_KEY and CARREL_STRIPE_WEBHOOK_SECRET$/)
  assert.equal((await server.post('/billing/pay/x', undefined, { token: null })).status, 404)
  await server.stop()
  const said = linesOfRequests(server)
  assert.match(said, /"level":30,.*"code":"not_set_up",.*this server has no payment method/)
  assert.doesNotMatch(said, /"level":[456]0|"stack"/, 'anybody could fill the log')
})

test('a key that Stripe refuses, and a webhook without its secret, are logged', async () => {
  const stripe = await StripeServer.start()
  const server = await TestApp.start({
    env: { ...stripe.env, CARREL_STRIPE_KEY: 'sk_test_other', CARREL_STRIPE_WEBHOOK_SECRET: '' },
  })
  const { status, body } = await server.post('/billing/deposit', { amount_cents: 500 })
  assert.deepEqual([status, body.code], [501, 'NOT_SET_UP'])
  assert.match(body.error, /Stripe refuses the key in CARREL_STRIPE_KEY/)
  const { body: event, signature } = stripe.event('customer.created', { id: 'cus_1' })
  const options = { token: null, headers: { 'stripe-signature': signature } }
  const webhook = await server.post('/billing/webhook', event, options)
  assert.deepEqual([webhook.status, webhook.body.settings], [501, ['CARREL_STRIPE_WEBHOOK_SECRET']])
  await server.stop()
  await stripe.stop()
  assert.ok(!server.log().includes('sk_test_other'))
  const said = linesOfRequests(server)
  assert.match(said, /"level":40,.*"reason":"Invalid API Key/)
  assert.doesNotMatch(said, /"level":50|"stack"/)
})
