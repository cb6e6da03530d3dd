import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { signInByMail } from '../identity/outbox.ts'
import { audience, Issuer } from '../identity/issuer.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

const unauthenticated = { error: 'UNAUTHENTICATED', message: 'Missing or invalid bearer token' }

describe('the account routes of Pawpado', { timeout: 300_000 }, () => {
  let issuer: Issuer
  let server: TestApp
  /** A JWT of the issuer, as in the document. */
  let bearer: string

  before(async () => {
    issuer = await Issuer.start()
    server = await TestApp.start({
      env: {
        CARREL_OIDC_ISSUERS: `${issuer.url}=${audience}`,
        CARREL_SIGN_INS_PER_MINUTE: '0',
      },
    })
    bearer = await issuer.tokenFor('first')
  })
  after(async () => {
    await server.stop()
    await issuer.stop()
  })

  const get = (path: string, token: string | null = bearer) => server.call('GET', path, undefined, { token })
  const change = (body: unknown, token = bearer) => server.call('PATCH', '/api/v1/settings', body, { token })

  test('GET /health needs no token', async () => {
    const { status, body } = await get('/api/v1/health', null)
    assert.deepEqual([status, body], [200, { status: 'ok' }])
  })

  test("GET /session returns the user and the expiry of an issuer's token", async () => {
    const { status, body } = await get('/api/v1/session')
    assert.equal(status, 200)
    assert.equal(body.huudisUserId, 'first')
    assert.equal(body.userId, (await get('/users/me')).body.user_id)
    assert.equal(body.accountId, (await get('/v1/me')).body.workspace_id)
    const leftMs = Date.parse(body.expiresAt) - Date.now()
    assert.ok(leftMs > 500_000 && leftMs <= 600_000)
    assert.equal(body.deleteAt, null)
  })

  test('every kind of token is accepted', async () => {
    const session = await signInByMail(server)
    const key = await server.post('/users/me/api-keys', {}, { token: session })
    for (const token of [session, key.body.api_key]) {
      const { status, body } = await get('/api/v1/session', token)
      assert.deepEqual([status, body.huudisUserId], [200, body.userId])
    }
    const { body } = await get('/api/v1/session', server.token)
    assert.deepEqual([body.expiresAt, body.userId], [null, body.accountId])
  })

  test('GET /credits/me returns the balance, the currency and the storage used', async () => {
    const token = await server.newAccount()
    const before = await get('/api/v1/credits/me', token)
    assert.deepEqual([before.status, before.body], [200, { balance: 5, currency: 'USD', storageUsedBytes: 0 }])
    await server.post('/memory/write', { path: 'a', content: 'x'.repeat(1000) }, { token })
    assert.equal((await get('/api/v1/credits/me', token)).body.storageUsedBytes, 1000)
    const content = 'y'.repeat(3_000_000)
    await server.post('/files/write', { path: 'big', content, sessionId: newSession() }, { token })
    assert.ok((await get('/api/v1/credits/me', token)).body.storageUsedBytes >= 1000)
  })

  test('GET /billing/storage returns the tier and the billing period', async () => {
    const { status, body } = await get('/api/v1/billing/storage')
    assert.equal(status, 200)
    const { billingPeriodStart, billingPeriodEnd, ...rest } = body
    assert.deepEqual(rest, {
      tier: 'included',
      currency: 'USD',
      pricePerGibHour: 0,
      pricePerGibHourStopped: 0,
      storageUsedBytes: 0,
      gibHours: 0,
      amount: 0,
    })
    assert.match(billingPeriodStart, /-01T00:00:00\.000Z$/)
    assert.match(billingPeriodEnd, /-01T00:00:00\.000Z$/)
    const days = (Date.parse(billingPeriodEnd) - Date.parse(billingPeriodStart)) / 86_400_000
    assert.ok(Date.parse(billingPeriodStart) <= Date.now() && days >= 28 && days <= 31)
  })

  test('PATCH /settings changes the given fields and keeps the others', async () => {
    const token = await issuer.tokenFor('second')
    const first = await get('/api/v1/settings', token)
    assert.deepEqual(first.body, { displayName: 'second', locale: 'en', timezone: 'UTC', theme: 'system' })
    const { status, body } = await change({ timezone: 'asia/jakarta', displayName: ' Budi ' }, token)
    assert.deepEqual(
      [status, body],
      [200, { displayName: 'Budi', locale: 'en', timezone: 'Asia/Jakarta', theme: 'system' }],
    )
    assert.deepEqual((await change({ locale: 'id-id', theme: 'dark' }, token)).body, {
      displayName: 'Budi',
      locale: 'id-ID',
      timezone: 'Asia/Jakarta',
      theme: 'dark',
    })
    assert.deepEqual((await get('/api/v1/settings', token)).body.theme, 'dark')
    assert.equal((await get('/users/me', token)).body.name, 'Budi')
    assert.equal((await change({}, token)).body.theme, 'dark')
  })

  test('PATCH /settings with an invalid field names the field, and changes nothing', async () => {
    const before = (await get('/api/v1/settings')).body
    const wrong: [body: unknown, field: string][] = [
      [{ theme: 'pink', locale: 'de' }, 'theme'],
      [{ locale: 'de', timezone: 'Mars/Olympus' }, 'timezone'],
      [{ theme: 'dark', locale: 'no language' }, 'locale'],
      [{ theme: 'dark', displayName: '  ' }, 'displayName'],
      [{ displayName: 'x'.repeat(101) }, 'displayName'],
      [['dark'], 'body'],
      ['{"theme":', 'body'],
    ]
    for (const [body, field] of wrong) {
      const { status, body: answer } = await change(body)
      assert.deepEqual([status, answer.error], [400, 'VALIDATION_ERROR'], JSON.stringify(body))
      assert.match(answer.message, new RegExp(`\\b${field}\\b`))
      assert.deepEqual(Object.keys(answer), ['error', 'message'])
    }
    assert.deepEqual((await get('/api/v1/settings')).body, before)
  })

  test('PATCH /settings takes null as no change, and ignores a field that it does not know, which it says', async () => {
    const token = await issuer.tokenFor('third')
    const { status, headers, body } = await change({ timezone: null, theme: 'dark', colour: 'red' }, token)
    assert.deepEqual([status, body.timezone, body.theme], [200, 'UTC', 'dark'])
    assert.match(headers.get('carrel-hint')!, /"colour"/)
  })

  test('an API key without the scope "account" can read settings, but not change them', async () => {
    const session = await signInByMail(server)
    const { body } = await server.post('/users/me/api-keys', { scopes: ['compute'] }, { token: session })
    assert.equal((await get('/api/v1/settings', body.api_key)).status, 200)
    const { status, body: refused } = await change({ theme: 'dark' }, body.api_key)
    assert.deepEqual([status, refused.error], [403, 'FORBIDDEN'])
  })
})

describe('errors below /api/v1', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  test('401 has the body of the document', async () => {
    for (const token of [null, 'pp_sess_wrong', 'eyJ.eyJ.x'])
      for (const [method, path] of [
        ['GET', '/api/v1/credits/me'],
        ['GET', '/api/v1/billing/storage'],
        ['GET', '/api/v1/settings'],
        ['PATCH', '/api/v1/settings'],
        ['GET', '/api/v1/session'],
      ] as const) {
        const { status, body, headers } = await server.call(method, path, undefined, { token })
        assert.deepEqual([status, body], [401, unauthenticated], `${method} ${path}`)
        assert.equal(headers.get('www-authenticate'), 'Bearer')
      }
  })

  test('the body of every error is error and message', async () => {
    const json = { 'content-type': 'application/json' }
    const answers: [code: string, status: number, method: string, path: string, body?: unknown, headers?: object][] = [
      ['ROUTE_NOT_FOUND', 404, 'GET', '/api/v1/nothing'],
      ['ROUTE_NOT_FOUND', 404, 'GET', '/api/v1'],
      ['ROUTE_NOT_FOUND', 404, 'POST', '/api/v1/?x=y', {}],
      ['ROUTE_NOT_FOUND', 404, 'POST', '/api/v1/nothing', '{', json],
      ['METHOD_NOT_ALLOWED', 405, 'PUT', '/api/v1/settings', {}],
      ['VALIDATION_ERROR', 400, 'PATCH', '/api/v1/settings', '{not JSON', json],
      ['VALIDATION_ERROR', 400, 'GET', '/api/v1/%zz'],
      ['UNSUPPORTED_MEDIA_TYPE', 415, 'PATCH', '/api/v1/settings', 'a=b', { 'content-type': 'text/csv' }],
      ['VALIDATION_ERROR', 400, 'PATCH', '/api/v1/settings', 'a=b', { 'content-type': 'text/plain' }],
      // The same route, encoded differently.
      ['VALIDATION_ERROR', 400, 'PATCH', '/%61pi/v1/settings', '{not JSON', json],
    ]
    for (const [code, status, method, path, body, headers] of answers) {
      const answer = await server.call(method, path, body, { headers: { ...headers } })
      assert.deepEqual([answer.status, answer.body.error], [status, code], `${method} ${path}`)
      assert.deepEqual(Object.keys(answer.body), ['error', 'message'])
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    }
  })

  test('the error of a request that cannot be read in full has the same body', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /api/v1/session HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    const [head, body] = (await text(socket)).split('\r\n\r\n')
    assert.match(head!, /^HTTP\/1\.1 413 /)
    assert.equal(JSON.parse(body!).error, 'TOO_LARGE')
  })

  test("other paths have PaperPod's envelope", async () => {
    for (const path of ['/nothing', '/api', '/api/v1x', '/api/v2/settings']) {
      const { status, body } = await server.call('GET', path)
      assert.deepEqual([status, body.code], [404, 'ROUTE_NOT_FOUND'], path)
    }
  })
})
