import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { Challenge, Credential, PaymentRequest } from 'mppx'
import { Fetch, tempo as tempoClient } from 'mppx/client'
import { Proof } from 'mppx/tempo'
import { createClient, custom } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { tempo as tempoChain } from 'viem/tempo/chains'
import { serverSecret } from '../support/server-secret.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'

const newWallet = () => privateKeyToAccount(generatePrivateKey())
type Wallet = ReturnType<typeof newWallet>

/** A chain that must not be asked. */
const noChain = createClient({
  chain: tempoChain,
  transport: custom({
    request: () => {
      throw new Error('the chain was asked')
    },
  }),
})

describe('signing in by a wallet', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({
      env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_TEMPO_RPC: 'http://127.0.0.1:9', HTTPS_PROXY: '' },
    })
  })
  after(() => server.stop())

  const login = (wallet: string, authorization?: string) =>
    server.post('/login', { wallet }, { token: null, headers: authorization ? { authorization } : {} })

  const challengeFor = async (wallet: string) => {
    const { status, headers } = await login(wallet)
    assert.equal(status, 402)
    return Challenge.deserialize(headers.get('www-authenticate')!)
  }

  /** Returns what the protocol's client sends, with an attacker's changes. */
  const proofOf = async (
    signer: Wallet,
    challenge: Challenge.Challenge,
    lie: { account?: string; realm?: string; challengeId?: string; source?: string; version?: string } = {},
  ) => {
    const account = (lie.account ?? signer.address) as `0x${string}`
    const typed = Proof.typedData({
      account,
      chainId: 4217,
      challengeId: lie.challengeId ?? challenge.id,
      realm: lie.realm ?? challenge.realm,
    })
    const domain = { ...typed.domain, version: lie.version ?? typed.domain.version }
    const signature = await signer.signTypedData({ ...typed, domain })
    const source = lie.source ?? Proof.proofSource({ address: account, chainId: 4217 })
    return Credential.serialize({ challenge, payload: { type: 'proof', signature }, source })
  }

  const refused = (answer: Awaited<ReturnType<typeof login>>, type = 'verification-failed', detail = /./) => {
    assert.equal(answer.status, 402, JSON.stringify(answer.body))
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.equal(answer.body.type, `https://paymentauth.org/problems/${type}`)
    assert.match(answer.body.detail, detail)
    assert.deepEqual(
      [answer.body.error, answer.body.code, answer.body.action, answer.body.retryable],
      [answer.body.detail, 'PAYMENT_REQUIRED', 'ANSWER_CHALLENGE', false],
    )
    assert.match(answer.body.agentInstruction, /^Sign .* Authorization: Payment <credential>\.$/)
    assert.equal(answer.body.requestId, answer.headers.get('x-request-id'))
    assert.ok(!JSON.stringify(answer.body).includes('pp_sess_'))
  }

  test('the unmodified client signs in, and the token works', async () => {
    const wallet = newWallet()
    const pay = Fetch.from({ methods: [tempoClient.charge({ account: wallet, getClient: () => noChain })] })
    const response = await pay(`${server.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ wallet: wallet.address }),
    })
    const body = (await response.json()) as Record<string, string>
    assert.equal(response.status, 200, JSON.stringify(body))
    assert.deepEqual([body.wallet, body.creditsRemaining], [wallet.address, 0])
    assert.match(body.token!, /^pp_sess_[\w-]{43}$/)
    assert.match(response.headers.get('cache-control')!, /no-store/)
    assert.ok(response.headers.get('payment-receipt'))
    assert.equal((await server.post('/memory/usage', {}, { token: body.token! })).status, 200)
    const { body: user } = await server.call('GET', '/users/me', undefined, { token: body.token! })
    assert.equal(user.name, `${wallet.address.slice(0, 6)}…${wallet.address.slice(-4)}`)
    const { rows } = await withDatabase(async (db) => ({
      rows: await db.selectFrom('identities').selectAll().where('user_id', '=', user.user_id).execute(),
    }))
    assert.deepEqual(
      rows.map(({ provider, subject }) => [provider, subject]),
      [['wallet', wallet.address.toLowerCase()]],
    )
  })

  test('the challenge costs nothing, names the server by its own address, and is not cached', async () => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        host: 'evil.example.com',
        'x-forwarded-host': 'evil.example.com',
      }
      request(`${server.url}/login`, { method: 'POST', headers }, resolve)
        .on('error', reject)
        .end(JSON.stringify({ wallet: newWallet().address }))
    })
    assert.deepEqual([response.statusCode, response.headers['cache-control']], [402, 'no-store'])
    const challenge = Challenge.deserialize(response.headers['www-authenticate']!)
    assert.deepEqual(
      [challenge.realm, challenge.method, challenge.intent],
      [new URL(server.url).host, 'tempo', 'charge'],
    )
    assert.equal(challenge.request.amount, '0')
    assert.ok(Date.parse(challenge.expires!) - Date.now() <= 300_000)
    const problem = (await json(response)) as { type: string }
    assert.equal(problem.type, 'https://paymentauth.org/problems/payment-required')
  })

  test('the same wallet returns to the same account, in any case of letters', async () => {
    const wallet = newWallet()
    const ids = new Set<string>()
    for (const written of [
      wallet.address,
      wallet.address.toLowerCase(),
      `0x${wallet.address.slice(2).toUpperCase()}`,
    ]) {
      const { status, body } = await login(written, await proofOf(wallet, await challengeFor(written)))
      assert.deepEqual([status, body.wallet], [200, wallet.address])
      ids.add((await server.call('GET', '/users/me', undefined, { token: body.token })).body.user_id)
    }
    assert.equal(ids.size, 1)
  })

  test('the proof of one wallet does not work for another', async () => {
    const [mine, victim] = [newWallet(), newWallet()]
    const ofVictim = await challengeFor(victim.address)
    // Each part is valid by itself: a challenge for the victim, a signature of the attacker.
    refused(await login(victim.address, await proofOf(mine, ofVictim)), 'verification-failed', /another wallet/)
    refused(
      await login(victim.address, await proofOf(mine, ofVictim, { account: victim.address })),
      'verification-failed',
      /signature/,
    )
    const ofMine = await challengeFor(mine.address)
    refused(await login(victim.address, await proofOf(mine, ofMine)), 'invalid-challenge', /opaque/)
    const withSource = { source: Proof.proofSource({ address: victim.address, chainId: 4217 }) }
    refused(await login(mine.address, await proofOf(mine, ofMine, withSource)), 'verification-failed', /another wallet/)
    refused(await login(victim.address, await proofOf(mine, ofVictim, withSource)), 'verification-failed', /signature/)
  })

  test('a proof for another server, challenge, chain or version of the domain is refused', async () => {
    const wallet = newWallet()
    const challenge = await challengeFor(wallet.address)
    for (const lie of [{ realm: 'elsewhere.example.com' }, { challengeId: 'another' }, { version: '1' }])
      refused(await login(wallet.address, await proofOf(wallet, challenge, lie)), 'verification-failed', /signature/)
    const onTestnet = { source: Proof.proofSource({ address: wallet.address, chainId: 42_431 }) }
    refused(await login(wallet.address, await proofOf(wallet, challenge, onTestnet)), 'verification-failed')
    const unsourced = Credential.deserialize(await proofOf(wallet, challenge))
    refused(
      await login(wallet.address, Credential.serialize({ ...unsourced, source: undefined })),
      'verification-failed',
    )
  })

  test('a challenge that was altered, or that this server did not issue, is refused', async () => {
    const [wallet, victim] = [newWallet(), newWallet()]
    const challenge = await challengeFor(wallet.address)
    const { opaque: ofVictim } = await challengeFor(victim.address)
    const later = new Date(Date.now() + 3_600_000).toISOString()
    for (const change of [
      { realm: 'elsewhere.example.com' },
      { expires: later },
      { opaque: ofVictim },
      { request: { ...challenge.request, amount: '1' } },
      { id: `${challenge.id.slice(0, -1)}${challenge.id.endsWith('A') ? 'B' : 'A'}` },
    ]) {
      const { meta: _meta, ...bare } = challenge
      const altered = { ...bare, ...change }
      for (const asked of [wallet.address, victim.address])
        refused(await login(asked, await proofOf(wallet, altered)), 'invalid-challenge')
    }
    const foreign = Challenge.from({
      ...challenge,
      secretKey: 'another secret of thirty-two bytes or more',
    } as unknown as Parameters<typeof Challenge.from>[0])
    refused(await login(wallet.address, await proofOf(wallet, foreign)), 'invalid-challenge', /not issued/)
  })

  test('an expired challenge, and one for a top-up, sign nobody in', async () => {
    const wallet = newWallet()
    const { id: _id, opaque, ...challenge } = await challengeFor(wallet.address)
    const meta = PaymentRequest.deserialize(opaque!)
    const secretKey = await serverSecret('challenge-secret')
    const issue = (change: object) => Challenge.from({ ...challenge, meta, ...change, secretKey } as never)
    const expires = new Date(Date.now() - 1000).toISOString()
    refused(await login(wallet.address, await proofOf(wallet, issue({ expires }))), 'payment-expired')
    const endless = issue({ expires: undefined })
    refused(await login(wallet.address, await proofOf(wallet, endless)), 'invalid-challenge', /expires/)
    const forTopUp = issue({ meta: { ...meta, _mppx_scope: 'topup' } })
    refused(await login(wallet.address, await proofOf(wallet, forTopUp)), 'invalid-challenge', /opaque/)
    // With the same secret and the same content, this is what the server would have issued.
    assert.equal((await login(wallet.address, await proofOf(wallet, issue({})))).status, 200)
  })

  test('a proof works once, also of twenty requests at the same time', async () => {
    const wallet = newWallet()
    const credential = await proofOf(wallet, await challengeFor(wallet.address))
    const answers = await Promise.all(Array.from({ length: 20 }, () => login(wallet.address, credential)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    refused(await login(wallet.address, credential), 'verification-failed', /used already/)
  })

  test('text that is not a credential is refused as malformed', async () => {
    const wallet = newWallet()
    for (const garbage of ['Payment x', 'Payment e30', `Payment ${'A'.repeat(5000)}`])
      refused(await login(wallet.address, garbage), 'malformed-credential')
    const challenge = await challengeFor(wallet.address)
    for (const payload of [
      {},
      { type: 'proof' },
      { type: 'proof', signature: 'x' },
      { type: 'proof', signature: '0x' },
      { type: 'hash', hash: '0x' },
    ]) {
      const answer = await login(wallet.address, Credential.serialize({ challenge, payload }))
      refused(answer, 'invalid-payload')
    }
    for (const payload of [
      { type: 'proof', signature: '0x00' },
      { type: 'proof', signature: `0x${'00'.repeat(65)}` },
      { type: 'transaction', signature: '0x76' },
      { type: 'hash', hash: `0x${'11'.repeat(32)}` },
    ]) {
      const source = Proof.proofSource({ address: wallet.address, chainId: 4217 })
      refused(await login(wallet.address, Credential.serialize({ challenge, payload, source })))
    }
  })

  test('text that is not a wallet is refused with its field', async () => {
    for (const wallet of [
      '',
      'nobody',
      '0x1234',
      `0x${'g'.repeat(40)}`,
      newWallet().address.replace(/[a-f]/, (a) => a.toUpperCase()),
    ]) {
      const { status, body } = await login(wallet)
      assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'wallet'], wallet)
    }
    for (const body of [{}, { email: 'a@example.com', wallet: newWallet().address }])
      assert.equal((await server.post('/login', body, { token: null })).body.code, 'INVALID_REQUEST')
  })

  test('a used proof is remembered for longer than its challenge is valid', async () => {
    const wallet = newWallet()
    const challenge = await challengeFor(wallet.address)
    await login(wallet.address, await proofOf(wallet, challenge))
    await withDatabase(async (db) => {
      const row = await db
        .selectFrom('spent_wallet_proofs')
        .selectAll()
        .where('challenge_id', '=', challenge.id)
        .executeTakeFirstOrThrow()
      assert.ok(Number(row.expires_at) > Date.parse(challenge.expires!))
    })
  })
})

test('with sign-up closed only known wallets sign in, and requests are limited by network', async () => {
  const server = await TestApp.start({ env: { CARREL_SIGN_UP: 'closed', CARREL_SIGN_INS_PER_MINUTE: '3' } })
  try {
    const wallet = newWallet()
    const pay = Fetch.from({ methods: [tempoClient.charge({ account: wallet, getClient: () => noChain })] })
    const ask = () =>
      pay(`${server.url}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ wallet: wallet.address }),
      })
    const response = await ask()
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [403, 'FORBIDDEN'])
    const { status, body } = await server
      .post('/login', { wallet: wallet.address }, { token: null })
      .then(() => server.post('/login', { wallet: wallet.address }, { token: null }))
    assert.deepEqual([status, body.code], [429, 'RATE_LIMITED'])
  } finally {
    await server.stop()
  }
})
