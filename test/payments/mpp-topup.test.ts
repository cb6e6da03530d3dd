import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Challenge, Credential, PaymentRequest, Receipt } from 'mppx'
import { Fetch, tempo as tempoClient } from 'mppx/client'
import { Proof } from 'mppx/tempo'
import { createClient, http } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { tempo as tempoChain } from 'viem/tempo/chains'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { serverSecret } from '../support/server-secret.ts'
import { until } from '../support/server.ts'
import { setLimits } from '../support/set-limits.ts'
import { TestApp } from '../support/test-app.ts'
import { deleteAccountNow } from '../support/delete-account-now.ts'
import { withDatabase } from '../support/with-database.ts'
import { TempoNode } from '../support/fake-tempo-node.ts'

const recipient = '0x1111111111111111111111111111111111111111'
const problems = 'https://paymentauth.org/problems'

describe('POST /topup on Tempo', { timeout: 300_000 }, () => {
  let node: TempoNode
  let server: TestApp
  let token: string
  const env = () => ({
    CARREL_TEMPO_RECIPIENT: recipient,
    CARREL_TEMPO_RPC: node.url,
    CARREL_SWEEP_INTERVAL_MS: '200',
  })
  before(async () => {
    setLimits({ paymentConfirmMs: 1000 })
    node = await TempoNode.start()
    server = await TestApp.start({ env: env() })
  })
  beforeEach(async () => {
    token = await server.newAccount()
  })
  after(async () => {
    await server.stop()
    await node.stop()
    await withDatabase(async (db) => assert.deepEqual((await verifyBooks(db, 0)).problems, []))
  })

  const account = privateKeyToAccount(generatePrivateKey())
  const method = () =>
    tempoClient.charge({
      account,
      getClient: () => createClient({ chain: tempoChain, transport: http(node.url, { retryCount: 0 }) }),
    })

  /** Pays as the protocol's client does. Returns the credential that it sent. */
  const pay = async (body: object, as = token) => {
    let credential = ''
    const listening: typeof fetch = (input, init) => {
      const sent = new Headers(init?.headers).get('authorization') ?? ''
      if (sent.startsWith('Payment ')) credential = sent
      return fetch(input, init)
    }
    const response = await Fetch.from({ methods: [method()], fetch: listening })(`${server.url}/topup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${as}`, 'x-session-token': as },
      body: JSON.stringify(body),
    })
    // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
    const answer = (await response.json()) as any
    return { status: response.status, headers: response.headers, body: answer, credential }
  }

  const topUp = (body: unknown, { credential, as = token }: { credential?: string; as?: string | null } = {}) => {
    const headers: Record<string, string> = credential
      ? { authorization: credential, ...(as ? { 'x-session-token': as } : {}) }
      : {}
    return server.post('/topup', body, { token: credential ? null : as, headers })
  }
  const balance = async (of = token) =>
    (await server.call('GET', '/balance', undefined, { token: of })).body.creditsRemaining
  const challengeFor = async (body: object, as = token) => {
    const { status, headers } = await topUp(body, { as })
    assert.equal(status, 402)
    return Challenge.deserialize(headers.get('www-authenticate')!)
  }
  const credentialFor = async (body: object, as = token) =>
    method().createCredential({ challenge: (await challengeFor(body, as)) as never, context: {} })
  const refused = (answer: Awaited<ReturnType<typeof topUp>>, type: string, detail = /./) => {
    assert.equal(answer.status, 402, JSON.stringify(answer.body))
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.equal(answer.body.type, `${problems}/${type}`)
    assert.match(answer.body.detail, detail)
    assert.deepEqual(
      [answer.body.error, answer.body.code, answer.body.action],
      [answer.body.detail, 'PAYMENT_REQUIRED', 'ANSWER_CHALLENGE'],
    )
    assert.match(answer.body.agentInstruction, /^Pay .* X-Session-Token\.$/)
  }

  test('the unmodified client pays for a package, which is credited', async () => {
    const { status, headers, body } = await pay({ tier: 'pro' })
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(body, {
      success: true,
      amountCents: 2000,
      creditsAdded: 22,
      creditsRemaining: 27,
      paymentMethodsAccepted: ['tempo'],
    })
    const receipt = Receipt.deserialize(headers.get('payment-receipt')!)
    assert.deepEqual([receipt.method, receipt.status], ['tempo', 'success'])
    assert.match(receipt.reference, /^0x[0-9a-f]{64}$/)
    assert.equal(await balance(), 27)
  })

  test('an amount without a package is credited as it is', async () => {
    const { body } = await pay({ amountCents: 123 })
    assert.deepEqual([body.amountCents, body.creditsAdded, body.creditsRemaining], [123, 1.23, 6.23])
  })

  test('the challenge says what to pay, to whom and where, and is not cached', async () => {
    const { status, headers, body } = await topUp({ tier: 'starter' })
    assert.deepEqual(
      [status, headers.get('content-type'), headers.get('cache-control')],
      [402, 'application/problem+json; charset=utf-8', 'no-store'],
    )
    assert.equal(body.type, `${problems}/payment-required`)
    const line = headers.get('www-authenticate')!
    assert.equal(line.match(/Payment id=/g)?.length, 1)
    const { realm, method: name, intent, request, expires, meta } = Challenge.deserialize(line)
    assert.deepEqual([realm, name, intent, meta], [new URL(server.url).host, 'tempo', 'charge', undefined])
    assert.deepEqual(
      [request.amount, request.recipient, request.methodDetails],
      ['5000000', recipient, { chainId: 4217, supportedModes: ['pull'] }],
    )
    assert.ok(Date.parse(expires!) - Date.now() <= 300_000)
  })

  test('an invalid purchase is refused in the envelope of this surface, before a payment is asked for', async () => {
    const amounts = [0, 1, 99, 99.5, 100.5, 5.005, -500, 1e18, 1_000_001, Number.MAX_SAFE_INTEGER, '500', [500], true]
    for (const amountCents of amounts) {
      const { status, headers, body } = await topUp({ amountCents })
      assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'amountCents'], String(amountCents))
      assert.equal(headers.get('www-authenticate'), null)
      assert.ok(body.error && body.agentInstruction)
    }
    const [missing, empty] = [await topUp({}), await topUp({ amountCents: null })]
    assert.deepEqual([empty.status, empty.body.error], [400, missing.body.error], 'null is no amount')
    assert.equal((await topUp('{"amountCents":NaN}')).body.code, 'INVALID_REQUEST')
    for (const tier of ['', 'huge', '__proto__', 'constructor', 5])
      assert.deepEqual(
        [(await topUp({ tier })).status, (await topUp({ tier })).body.field],
        [400, 'tier'],
        String(tier),
      )
    for (const body of [{}, { tier: 'starter', amountCents: 500 }]) assert.equal((await topUp(body)).status, 400)
    const unknown = await topUp({ tier: 'starter', account: 'x' })
    assert.equal(unknown.status, 402)
    assert.match(unknown.headers.get('carrel-hint')!, /"account"/)
  })

  test('the token of the account is required, also with a payment', async () => {
    const credential = await credentialFor({ tier: 'micro' })
    for (const as of [null, 'pp_sess_wrong']) {
      const { status, body } = await topUp({ tier: 'micro' }, { credential, as })
      assert.deepEqual([status, body.code], [401, 'UNAUTHENTICATED'])
    }
    assert.equal((await topUp({ tier: 'micro' }, { credential })).status, 200)
  })

  test('a payment for one account buys nothing for another', async () => {
    const other = await server.newAccount()
    const credential = await credentialFor({ tier: 'starter' })
    const before = node.transfers
    refused(await topUp({ tier: 'starter' }, { credential, as: other }), 'invalid-challenge', /opaque/)
    assert.deepEqual([await balance(), await balance(other), node.transfers], [5, 5, before])
    // Whoever pays, the credit is for the account of the challenge.
    assert.equal((await topUp({ tier: 'starter' }, { credential })).status, 200)
    assert.deepEqual([await balance(), await balance(other)], [10, 5])
    refused(await topUp({ tier: 'starter' }, { credential, as: other }), 'invalid-challenge', /opaque/)
  })

  test('a payment buys what its challenge says, not what the request says', async () => {
    const credential = await credentialFor({ tier: 'micro' })
    const before = node.transfers
    for (const body of [{ tier: 'scale' }, { tier: 'starter' }, { amountCents: 10_000 }])
      refused(await topUp(body, { credential }), 'invalid-challenge')
    assert.deepEqual([await balance(), node.transfers], [5, before])
    assert.equal((await topUp({ amountCents: 100 }, { credential })).body.creditsAdded, 1)
  })

  test('a challenge that was altered is refused', async () => {
    const challenge = await challengeFor({ tier: 'micro' })
    const dear = await challengeFor({ tier: 'scale' })
    for (const change of [
      { opaque: dear.opaque },
      { realm: 'elsewhere.example.com' },
      { expires: new Date(Date.now() + 3_600_000).toISOString() },
      { request: { ...challenge.request, recipient: account.address } },
      { request: { ...challenge.request, amount: '1' } },
    ]) {
      const altered = { ...challenge, ...change } as never
      const credential = await method().createCredential({ challenge: altered, context: {} })
      for (const tier of ['micro', 'scale']) refused(await topUp({ tier }, { credential }), 'invalid-challenge')
    }
    assert.equal(await balance(), 5)
  })

  test('a proof of a wallet, a hash, and a transfer for another challenge pay for nothing', async () => {
    const challenge = await challengeFor({ tier: 'micro' })
    const source = Proof.proofSource({ address: account.address, chainId: 4217 })
    const typed = { account: account.address, chainId: 4217, challengeId: challenge.id, realm: challenge.realm }
    const signature = await account.signTypedData(Proof.typedData(typed))
    const proof = Credential.serialize({ challenge, payload: { type: 'proof', signature }, source })
    refused(await topUp({ tier: 'micro' }, { credential: proof }), 'verification-failed', /zero-amount/)

    const { headers } = await server.post('/login', { wallet: account.address }, { token: null })
    const signIn = Challenge.deserialize(headers.get('www-authenticate')!)
    const signed = await account.signTypedData(Proof.typedData({ ...typed, challengeId: signIn.id }))
    const login = Credential.serialize({ challenge: signIn, payload: { type: 'proof', signature: signed }, source })
    refused(await topUp({ tier: 'micro' }, { credential: login }), 'invalid-challenge')

    const paid = await pay({ tier: 'micro' })
    const { reference } = Receipt.deserialize(paid.headers.get('payment-receipt')!)
    const hash = Credential.serialize({ challenge, payload: { type: 'hash', hash: reference }, source })
    refused(await topUp({ tier: 'micro' }, { credential: hash }), 'verification-failed', /not supported/)
    const { payload } = Credential.deserialize(paid.credential)
    const borrowed = Credential.serialize({ challenge, payload, source })
    refused(await topUp({ tier: 'micro' }, { credential: borrowed }), 'verification-failed', /memo is not bound/)
    assert.equal(await balance(), 6)
  })

  test('the same credential again gets the same answer, and is credited once; ten at the same time too', async () => {
    const paid = await pay({ tier: 'starter' })
    const again = await topUp({ tier: 'starter' }, { credential: paid.credential })
    assert.deepEqual([again.status, again.body], [200, paid.body])
    assert.equal(again.headers.get('payment-receipt'), paid.headers.get('payment-receipt'))

    const before = node.transfers
    const credential = await credentialFor({ tier: 'starter' })
    const answers = await Promise.all(Array.from({ length: 10 }, () => topUp({ tier: 'starter' }, { credential })))
    for (const { status, body } of answers) assert.deepEqual([status, body.creditsRemaining], [200, 15])
    assert.deepEqual([await balance(), node.transfers], [15, before + 1])
  })

  test('an expired challenge takes no payment; one that was paid in time is remembered', async () => {
    const { id: _id, opaque, ...challenge } = await challengeFor({ tier: 'micro' })
    const secretKey = await serverSecret('challenge-secret')
    const answering = (lifeMs: number) => {
      const expires = new Date(Date.now() + lifeMs).toISOString()
      const issued = Challenge.from({
        ...challenge,
        meta: PaymentRequest.deserialize(opaque!),
        expires,
        secretKey,
      } as never)
      return method().createCredential({ challenge: issued as never, context: {} })
    }
    const before = node.transfers
    refused(await topUp({ tier: 'micro' }, { credential: await answering(-1000) }), 'payment-expired')
    assert.equal(node.transfers, before)

    const credential = await answering(3000)
    const paid = await topUp({ tier: 'micro' }, { credential })
    assert.equal(paid.status, 200)
    const { expires } = Credential.deserialize(credential).challenge
    await until(
      () => Date.now(),
      (now) => now > Date.parse(expires!),
    )
    const again = await topUp({ tier: 'micro' }, { credential })
    assert.deepEqual([again.status, again.body, node.transfers], [200, paid.body, before + 1])
  })

  test('too little money is refused: nothing is sent, and the challenge can be paid later', async () => {
    const credential = await credentialFor({ tier: 'micro' })
    const before = node.transfers
    node.refused.set('eth_call', 'execution reverted: InsufficientBalance')
    refused(await topUp({ tier: 'micro' }, { credential }), 'verification-failed')
    node.refused.clear()
    assert.deepEqual([await balance(), node.transfers], [5, before])
    assert.equal((await topUp({ tier: 'micro' }, { credential })).status, 200)
  })

  test('when the answer of the node is lost, the payment is found on the chain and credited at once', async () => {
    const before = node.transfers
    for (const lost of [1, 2]) {
      node.dropped.push(...Array.from({ length: lost }, () => 'eth_sendRawTransactionSync'))
      const { status, body } = await pay({ tier: 'micro' })
      assert.deepEqual([status, body.creditsRemaining], [200, 5 + lost], JSON.stringify(body))
    }
    assert.deepEqual([await balance(), node.transfers], [7, before + 2])
    assert.deepEqual(node.dropped, [])
  })

  test('with an unknown outcome no other payment is asked for, and the payment is credited once known', async () => {
    node.mines = false
    const { status, headers, body, credential } = await pay({ tier: 'starter' })
    assert.deepEqual([status, headers.get('www-authenticate')], [503, null])
    assert.match(body.detail, /Do not pay again/)
    assert.equal(await balance(), 5)
    // A second transfer of the same money is impossible; its refusal says nothing about the first.
    node.refused.set('eth_call', 'execution reverted: InsufficientBalance')
    const refusedTwice = await topUp({ tier: 'starter' }, { credential })
    assert.deepEqual([refusedTwice.status, refusedTwice.headers.get('www-authenticate')], [503, null])
    node.refused.clear()
    node.mines = true
    node.mine()
    await until(balance, (left) => left === 10)
    const again = await topUp({ tier: 'starter' }, { credential })
    assert.deepEqual([again.status, again.body.creditsAdded, again.body.creditsRemaining], [200, 5, 10])
    assert.ok(again.headers.get('payment-receipt'))
  })

  test('a payment for a deleted account is held for review, and credited to nobody', async () => {
    node.mines = false
    const { status, credential } = await pay({ tier: 'starter' })
    assert.equal(status, 503)
    const { id } = Credential.deserialize(credential).challenge
    const { account_id: accountId } = await withDatabase((db) =>
      db.selectFrom('machine_payments').selectAll().where('challenge_id', '=', id).executeTakeFirstOrThrow(),
    )
    await deleteAccountNow(accountId)
    node.mines = true
    node.mine()
    const [aside] = await until(
      () => withDatabase((db) => db.selectFrom('payments').selectAll().where('account_id', '=', accountId).execute()),
      (rows) => rows[0]?.state === 'review',
    )
    assert.deepEqual([aside!.method, Number(aside!.cents)], ['tempo', 500])
    assert.match(aside!.data, /500 cents were received by tempo for a deleted account/)
    await withDatabase(async (db) => {
      const credited = db.selectFrom('ledger_transactions').select('id').where('key', '=', `mpp:${id}`)
      assert.deepEqual(await credited.execute(), [])
    })
  })

  test('a payment is credited by the next server when the server is killed meanwhile', async () => {
    node.mines = false
    const credential = await credentialFor({ tier: 'starter' })
    const asked = topUp({ tier: 'starter' }, { credential }).catch(() => 'gone')
    const { id } = Credential.deserialize(credential).challenge
    const stateOf = () =>
      withDatabase(async (db) => {
        const rows = await db.selectFrom('machine_payments').select('state').where('challenge_id', '=', id).execute()
        return rows[0]?.state
      })
    await until(stateOf, (state) => state === 'pending')
    await until(
      () => node.waiting,
      (count) => count === 1,
    )
    await server.stop('SIGKILL')
    assert.equal(await asked, 'gone')
    node.mines = true
    node.mine()
    server = await TestApp.start({ env: env() })
    await until(balance, (left) => left === 10)
    assert.equal(await stateOf(), 'paid')
  })
})

test('a server without a payment method says which settings it needs', async () => {
  const server = await TestApp.start()
  try {
    const { status, headers, body } = await server.post('/topup', { tier: 'starter' })
    assert.deepEqual([status, body.code, body.action], [501, 'NOT_SET_UP', 'ASK_OPERATOR'])
    assert.match(body.error, /CARREL_TEMPO_RECIPIENT.*CARREL_STRIPE_KEY/)
    assert.equal(headers.get('www-authenticate'), null)
  } finally {
    await server.stop()
  }
})
