import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { askForLink, messagesTo, newAddress, outbox, signInByMail } from './outbox.ts'

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

describe('signing in by mail', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
  })
  after(() => server.stop())

  const open = (link: string, headers: Record<string, string> = {}) =>
    server.call('GET', link.slice(server.url.length), undefined, { token: null, headers })
  /** Posts the form of the link's page, as its button does. */
  const press = async (link: string) => {
    const response = await fetch(`${server.url}/login/callback`, {
      method: 'POST',
      headers: { ...asBrowser, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URL(link).search.slice(1),
    })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  /** Posts the code, as a program does. */
  const redeem = (link: string) =>
    server.post('/login/callback', { token: new URL(link).searchParams.get('token') }, { token: null })
  const whoIs = async (token: string) => (await server.call('GET', '/users/me', undefined, { token })).body

  test('without an SMTP server the link is in the outbox, readable by the operator only', async () => {
    const link = await askForLink(server, newAddress())
    assert.match(link, new RegExp(`^${server.url}/login/callback\\?token=[\\w-]{43}$`))
    assert.equal(statSync(outbox()).mode & 0o777, 0o700)
    for (const name of readdirSync(outbox())) assert.equal(statSync(join(outbox(), name)).mode & 0o777, 0o600)
  })

  test('opening the link in a browser, as mail scanners do, asks first and does not use it up', async () => {
    const address = newAddress()
    const link = await askForLink(server, address)
    for (let looks = 0; looks < 3; looks++) {
      const { status, headers, body } = await open(link, asBrowser)
      assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store'])
      assert.ok(body.includes(address) && body.includes('<button>') && !body.includes('pp_sess_'))
      assert.match(headers.get('content-security-policy')!, /default-src 'none'.*form-action 'self'/)
    }
    assert.equal((await press(link)).status, 200)
    for (const again of [await press(link), await open(link, asBrowser)]) {
      assert.equal(again.status, 401)
      assert.match(again.body, /<h1>This link does not work<\/h1>/)
    }
  })

  test('a program that opens the link is told how to use it, and does not use it up', async () => {
    const address = newAddress()
    const link = await askForLink(server, address)
    for (const accept of ['*/*', 'application/json', '']) {
      const { status, headers, body } = await open(link, { accept })
      assert.deepEqual([status, headers.get('cache-control'), body.email], [200, 'no-store', address])
      assert.match(body.message, /POST \/login\/callback/)
      assert.ok(!JSON.stringify(body).includes('pp_sess_'))
    }
    assert.equal((await redeem(link)).status, 200)
    assert.equal((await open(link)).status, 401)
  })

  test('the page behind the button shows the token, which works, and is not cached', async () => {
    const { status, headers, body } = await press(await askForLink(server, newAddress()))
    assert.deepEqual([status, headers.get('content-type')], [200, 'text/html; charset=utf-8'])
    assert.deepEqual([headers.get('cache-control'), headers.get('referrer-policy')], ['no-store', 'no-referrer'])
    assert.match(headers.get('content-security-policy')!, /default-src 'none'/)
    const [token] = /pp_sess_[\w-]{43}/.exec(body)!
    assert.ok(body.includes(`carrel login --url ${server.url} \\\n  ${token}`))
    assert.equal((await server.post('/memory/usage', {}, { token })).status, 200)
  })

  test('a program that posts the code of a link gets the token, for 30 days', async () => {
    const address = newAddress()
    const { body, headers } = await redeem(await askForLink(server, address))
    assert.match(body.token, /^pp_sess_[\w-]{43}$/)
    assert.ok(Math.abs(body.expiresIn - 30 * 24 * 3600) < 60)
    assert.equal(headers.get('cache-control'), 'no-store')
    const user = await whoIs(body.token)
    assert.deepEqual([user.user_id, user.email, user.is_active], [body.userId, address, true])
  })

  test('the same user returns to the same account, however the address is written', async () => {
    const address = newAddress()
    const first = await whoIs(await signInByMail(server, address))
    await server.post('/login', { email: address.toUpperCase() }, { token: null })
    await until(
      () => messagesTo(address).length,
      (count) => count === 2,
    )
    const again = await whoIs(await signInByMail(server, address))
    assert.equal(again.user_id, first.user_id)
    assert.ok(again.last_login_at >= first.last_login_at)
  })

  test('a link works once, also of twenty requests at the same time', async () => {
    const link = await askForLink(server, newAddress())
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(link)))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, ...Array.from({ length: 19 }, () => 401)],
    )
    const { status, body } = await open(link, asBrowser)
    assert.equal(status, 401)
    assert.match(body, /<h1>This link does not work<\/h1>/)
  })

  test('HEAD, as by mail scanners, does not use the link up', async () => {
    const link = await askForLink(server, newAddress())
    assert.equal((await fetch(link, { method: 'HEAD' })).status, 405)
    assert.equal((await redeem(link)).status, 200)
  })

  test('a link that is older than 15 minutes does not work', async () => {
    const address = newAddress()
    const link = await askForLink(server, address)
    await withDatabase((db) =>
      db.updateTable('magic_links').set({ expires_at: Date.now() }).where('email', '=', address).execute(),
    )
    for (const dead of [await open(link), await redeem(link)]) assert.equal(dead.status, 401)
  })

  test('neither code nor token is in the database', async () => {
    const link = await askForLink(server, newAddress())
    const code = new URL(link).searchParams.get('token')!
    const { body } = await redeem(link)
    const rows = await withDatabase(async (db) => [
      await db.selectFrom('magic_links').selectAll().execute(),
      await db.selectFrom('tokens').selectAll().execute(),
    ])
    assert.ok(!JSON.stringify(rows).includes(code) && !JSON.stringify(rows).includes(body.token))
  })

  test('a network can have five links sent to an address in a quarter of an hour', async () => {
    const address = newAddress()
    const other = newAddress()
    for (let count = 0; count < limits.magicLinksPerNetwork; count++) await askForLink(server, address)
    assert.equal((await server.post('/login', { email: address }, { token: null })).status, 200)
    await askForLink(server, other)
    assert.equal(messagesTo(address).length, limits.magicLinksPerNetwork)
  })

  for (const email of [
    '',
    'nobody',
    'a b@example.com',
    'a@example.com\nBcc: b@example.com',
    `${'x'.repeat(250)}@example.com`,
  ])
    test(`${JSON.stringify(email).slice(0, 40)} is not an address`, async () => {
      const { status, body } = await server.post('/login', { email }, { token: null })
      assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'email'])
    })

  test('the link leads to the server, whatever host the request names', async () => {
    const address = newAddress()
    const before = await askForLink(server, address)
    await fetch(`${server.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-host': 'evil.example.com' },
      body: JSON.stringify({ email: address }),
    })
    await until(
      () => messagesTo(address).length,
      (count) => count === 2,
    )
    assert.ok(before.startsWith(server.url))
    for (const message of messagesTo(address)) assert.ok(!message.includes('evil'))
  })

  describe('POST /auth/refresh', () => {
    const refresh = (token: string) => server.post('/auth/refresh', { token }, { token: null })
    const endIn = (token: string, lifeMs: number) =>
      withDatabase(async (db) => {
        const { user_id } = await whoIs(token)
        await db
          .updateTable('tokens')
          .set({ expires_at: Date.now() + lifeMs })
          .where('user_id', '=', user_id)
          .execute()
      })

    test('refreshes a token in its last hour, for 30 days, and the old one works until it expires', async () => {
      const token = await signInByMail(server)
      const { user_id } = await whoIs(token)
      await endIn(token, 3_500_000)
      const { status, body } = await refresh(token)
      assert.equal(status, 200)
      assert.deepEqual([body.expiresIn, body.userId], [30 * 24 * 3600, user_id])
      assert.notEqual(body.token, token)
      assert.equal((await whoIs(body.token)).user_id, user_id)
      assert.equal((await whoIs(token)).user_id, user_id)
    })

    test('a repeated request replaces the new token, until one is used', async () => {
      const token = await signInByMail(server)
      await endIn(token, 3_500_000)
      const { body: lost } = await refresh(token)
      const { body: got } = await refresh(token)
      assert.notEqual(got.token, lost.token)
      assert.equal((await server.call('GET', '/users/me', undefined, { token: lost.token })).status, 401)
      await whoIs(got.token)
      const { status, body } = await refresh(token)
      assert.deepEqual([status, body.code], [409, 'CONFLICT'])
      assert.equal((await server.call('GET', '/users/me', undefined, { token: got.token })).status, 200)
    })

    test('refuses a token with more time left, and says until when', async () => {
      const token = await signInByMail(server)
      const { status, body } = await refresh(token)
      assert.deepEqual([status, body.code], [409, 'CONFLICT'])
      assert.ok(Date.parse(body.expiresAt) - Date.parse(body.refreshableAt) === 3_600_000)
      await endIn(token, 3_660_000)
      assert.equal((await refresh(token)).status, 409)
    })

    test('refuses expired tokens, invalid tokens and API keys', async () => {
      const token = await signInByMail(server)
      const { body: key } = await server.post('/users/me/api-keys', { expires_in: 600 }, { token })
      await endIn(token, -1)
      assert.equal((await refresh(token)).status, 401)
      assert.equal((await refresh('pp_sess_none')).status, 401)
      assert.equal((await refresh(key.api_key)).status, 401)
      assert.equal((await refresh(server.token)).status, 409)
    })
  })
})

test('with sign-up closed the server answers the same, and sends only to known addresses', async () => {
  const address = newAddress()
  const open = await TestApp.start()
  await signInByMail(open, address)
  await open.stop()
  const server = await TestApp.start({ env: { CARREL_SIGN_UP: 'closed' } })
  try {
    const unknown = newAddress()
    const answer = await server.post('/login', { email: unknown }, { token: null })
    assert.match(await signInByMail(server, address), /^pp_sess_/)
    const known = await server.post('/login', { email: address }, { token: null })
    assert.deepEqual([answer.status, answer.body], [known.status, known.body])
    assert.match(answer.body.message, /sends no mail: its operator finds the link .* folder outbox/)
    const { quickStart } = (await server.call('GET', '/', undefined, { token: null })).body
    assert.match(quickStart.step1, /ask the operator for the link .*outbox/)
    assert.deepEqual(messagesTo(unknown), [])
  } finally {
    await server.stop()
  }
})

test('sign-in routes are limited by network, with headers that say so', async () => {
  const server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '3' } })
  try {
    const ask = () => server.post('/auth/refresh', { token: 'pp_sess_guess' }, { token: null })
    for (const left of ['2', '1', '0']) {
      const { status, headers } = await ask()
      assert.deepEqual(
        [status, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')],
        [401, '3', left],
      )
    }
    const { status, headers, body } = await ask()
    assert.deepEqual([status, body.code, body.action], [429, 'RATE_LIMITED', 'WAIT'])
    assert.ok(Number(headers.get('retry-after')) >= 1 && Number(headers.get('retry-after')) <= 60)
    const resetInS = Number(headers.get('x-ratelimit-reset')) - Date.now() / 1000
    assert.ok(resetInS > 0 && resetInS <= 61, String(resetInS))
    assert.equal((await server.post('/memory/usage')).status, 200)
  } finally {
    await server.stop()
  }
})

test('behind a proxy the limit applies to the address that the proxy adds, whatever the client sends', async () => {
  const env = { CARREL_SIGN_INS_PER_MINUTE: '3', CARREL_TRUSTED_PROXIES: 'loopback' }
  const server = await TestApp.start({ env })
  try {
    const ask = async (from: string) => {
      const headers = { 'x-forwarded-for': from }
      return (await server.call('GET', '/login/callback?token=x', undefined, { token: null, headers })).status
    }
    const statuses = []
    for (const port of [1, 2, 3, 4]) statuses.push(await ask(`192.0.2.1:${port}`))
    for (const junk of ['a', 'b', 'c', 'd']) statuses.push(await ask(junk))
    assert.deepEqual(statuses, [401, 401, 401, 429, 401, 401, 401, 429])
    assert.equal(await ask('192.0.2.2'), 401)
  } finally {
    await server.stop()
  }
})
