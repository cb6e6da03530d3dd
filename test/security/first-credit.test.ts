import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { askForLink, newAddress, signInByMail } from '../identity/outbox.ts'
import { signInByWallet } from '../identity/wallet.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'

const env = { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_TRUSTED_PROXIES: 'loopback' }
/** Returns an address in a network that no earlier run has used. */
const newNetwork = () => {
  const [a, b] = crypto.getRandomValues(new Uint16Array(2))
  return `2a01:${a!.toString(16)}:${b!.toString(16)}:1::1`
}

const creditOf = async (server: TestApp, token: string): Promise<number> =>
  (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining

/** Signs in from a network; returns the credit of the account. */
async function signUp(server: TestApp, { address = newAddress(), from = newNetwork() } = {}): Promise<number> {
  const link = new URL(await askForLink(server, address))
  const { status, body } = await server.post(
    link.pathname,
    { token: link.searchParams.get('token') },
    { token: null, headers: { 'x-forwarded-for': from } },
  )
  assert.equal(status, 200)
  return creditOf(server, body.token)
}

describe('the first credit is for users who sign up, and cannot be farmed', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { ...env, CARREL_FIRST_CREDITS_PER_NETWORK: '3' } })
  })
  after(() => server.stop())

  test('a user who signs up by mail gets it', async () => {
    assert.equal(await signUp(server), 5)
  })

  test('wallets, which cost nothing to create, do not get it, even after a restart', async () => {
    const wallets = []
    for (let nth = 0; nth < 5; nth++) wallets.push(await signInByWallet(server, { 'x-forwarded-for': newNetwork() }))
    assert.deepEqual(
      wallets.map(({ creditsRemaining }) => creditsRemaining),
      [0, 0, 0, 0, 0],
    )
    await server.stop()
    server = await TestApp.start({ env: { ...env, CARREL_FIRST_CREDITS_PER_NETWORK: '3' } })
    for (const { token } of wallets) {
      assert.equal(await creditOf(server, token), 0)
      const { status, body } = await server.post('/execute', { code: 'echo 1', language: 'shell' }, { token })
      assert.deepEqual([status, body.code], [402, 'OUT_OF_CREDITS'])
    }
  })

  test('a mailbox gets it once, however its address is spelled, also concurrently', async () => {
    const name = `Some.Body.${Date.now()}`
    const spellings = [
      `${name}@gmail.com`,
      `${name.replaceAll('.', '')}@gmail.com`,
      `${name}+again@gmail.com`,
      `${name.toUpperCase()}+x+y@googlemail.com`,
    ]
    const credits = await Promise.all(spellings.map((address) => signUp(server, { address: address.toLowerCase() })))
    assert.equal(credits.filter((credit) => credit === 5).length, 1)
    assert.equal(credits.filter((credit) => credit === 0).length, 3)
    const plain = newAddress()
    assert.equal(await signUp(server, { address: plain }), 5)
    assert.equal(await signUp(server, { address: plain.replace('@', '+2@') }), 0)
    // Dots distinguish mailboxes at other providers.
    assert.equal(await signUp(server, { address: plain.replace('person', 'per.son') }), 5)
  })

  test('one network gets a limited number a day, also after a restart, and its users can still sign up', async () => {
    const from = newNetwork()
    const credits = []
    for (let nth = 0; nth < 3; nth++) credits.push(await signUp(server, { from }))
    await server.stop()
    server = await TestApp.start({ env: { ...env, CARREL_FIRST_CREDITS_PER_NETWORK: '3' } })
    for (let nth = 0; nth < 3; nth++) credits.push(await signUp(server, { from: from.replace('::1', `::${nth + 2}`) }))
    assert.deepEqual(credits, [5, 5, 5, 0, 0, 0])
    assert.equal(await signUp(server), 5, 'of another network')
    await withDatabase((db) =>
      db
        .updateTable('first_credits')
        .set({ decided_at: Date.now() - limits.mailDayMs })
        .where('network', '=', from.replace('::1', ''))
        .execute(),
    )
    assert.equal(await signUp(server, { from }), 5, 'a day later')
  })

  test('the many networks of one /48 get four times as many', async () => {
    const [a] = crypto.getRandomValues(new Uint16Array(1))
    const credits = []
    for (let nth = 0; nth < 15; nth++)
      credits.push(await signUp(server, { from: `2a00:${a!.toString(16)}:${nth % 2}:${nth.toString(16)}::1` }))
    assert.equal(credits.filter((credit) => credit === 5).length, 15, 'of two of them')
    const from = (nth: number) => `2a00:${a!.toString(16)}:2:${nth.toString(16)}::1`
    const many = []
    for (let nth = 0; nth < 15; nth++) many.push(await signUp(server, { from: from(nth) }))
    assert.equal(many.filter((credit) => credit === 5).length, 3 * limits.sitePrefixFactor)
    assert.equal(await signUp(server), 5, 'of another one')
  })

  test('concurrent sign-ups get no more than that', async () => {
    const from = newNetwork()
    const credits = await Promise.all(Array.from({ length: 8 }, () => signUp(server, { from })))
    assert.equal(credits.filter((credit) => credit === 5).length, 3)
  })
})

test('the operator decides who gets it, and how many a day', async () => {
  const given = await withDatabase(async (db) => {
    const rows = await db
      .selectFrom('first_credits')
      .select('account_id')
      .where('given', '=', 1)
      .where('decided_at', '>', Date.now() - limits.mailDayMs)
      .execute()
    return rows.length
  })
  const server = await TestApp.start({
    env: { ...env, CARREL_FIRST_CREDIT: 'wallet', CARREL_FIRST_CREDITS_PER_DAY: String(given + 2) },
  })
  try {
    assert.equal(await creditOf(server, await signInByMail(server)), 0)
    const wallets = []
    for (let nth = 0; nth < 4; nth++) wallets.push(await signInByWallet(server, { 'x-forwarded-for': newNetwork() }))
    assert.deepEqual(
      wallets.map(({ creditsRemaining }) => creditsRemaining),
      [5, 5, 0, 0],
    )
  } finally {
    await server.stop()
  }
})
