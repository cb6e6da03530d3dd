import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { signInByMail } from '../identity/outbox.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { type Answer } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('rate limits', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({
      env: { CARREL_READS_PER_MINUTE: '4', CARREL_WRITES_PER_MINUTE: '6', CARREL_SIGN_INS_PER_MINUTE: '0' },
    })
  })
  after(() => server.stop())

  const shown = ({ headers }: Answer) =>
    ['limit', 'remaining'].map((name) => Number(headers.get(`x-ratelimit-${name}`)))
  const isRefused = (answer: Answer) => {
    assert.equal(answer.status, 429)
    const retryAfter = Number(answer.headers.get('retry-after'))
    assert.ok(retryAfter >= 1 && retryAfter <= 60)
    const resetInS = Number(answer.headers.get('x-ratelimit-reset')) - Date.now() / 1000
    assert.ok(resetInS > 0 && resetInS <= 61)
  }

  test("Pawpado refuses reads after 60 in a minute, counting all tokens of an account together, also the owner's", async () => {
    const session = await signInByMail(server)
    const { body } = await server.post('/users/me/api-keys', {}, { token: session })
    for (const tokens of [[session, body.api_key], [server.token]]) {
      for (let count = 0; count < 60; count++) {
        const path = count % 2 ? '/api/v1/settings' : '/api/v1/session'
        const answer = await server.call('GET', path, undefined, { token: tokens[count % tokens.length]! })
        assert.deepEqual([answer.status, ...shown(answer)], [200, 60, 59 - count])
      }
      for (const token of tokens) {
        const refused = await server.call('GET', '/api/v1/credits/me', undefined, { token })
        isRefused(refused)
        assert.deepEqual(refused.body, {
          error: 'RATE_LIMITED',
          message: 'Cannot accept the request: the limit of 60 requests a minute is reached',
        })
        assert.deepEqual(shown(refused), [60, 0])
        const write = await server.call('PATCH', '/api/v1/settings', {}, { token })
        assert.equal(write.status, 200, 'writes are counted separately')
      }
    }
    const another = await server.call('GET', '/api/v1/session', undefined, { token: await server.newAccount() })
    assert.deepEqual(shown(another), [60, 59])
  })

  test('writes are refused after 20, valid or not, before their bodies are validated', async () => {
    const token = await server.newAccount()
    for (let count = 0; count < 20; count++)
      assert.equal((await server.call('PATCH', '/api/v1/settings', { theme: 'pink' }, { token })).status, 400)
    isRefused(await server.call('PATCH', '/api/v1/settings', { theme: 'dark' }, { token }))
    isRefused(await server.call('PATCH', '/api/v1/settings', '{not JSON', { token }))
    assert.equal((await server.call('GET', '/api/v1/settings', undefined, { token })).body.theme, 'system')
  })

  test('a user is counted in all workspaces together, including requests with API keys', async () => {
    const user = await signInByMail(server)
    const { body: workspace } = await server.post('/v1/workspaces', { name: 'Second' }, { token: user })
    const inside = `${user}~${workspace.workspace_id ?? workspace.id}`
    const { body: key } = await server.post('/users/me/api-keys', {}, { token: inside })
    let left = 60
    for (const token of [user, inside, key.api_key, `${user}~current`]) {
      const answer = await server.call('GET', '/api/v1/session', undefined, { token })
      assert.deepEqual([answer.status, ...shown(answer)], [200, 60, --left])
    }
    const another = await server.call('GET', '/api/v1/session', undefined, { token: await signInByMail(server) })
    assert.deepEqual(shown(another), [60, 59])
  })

  test('unknown addresses and methods count, by token or by network, and their answers have the limits', async () => {
    const token = await signInByMail(server)
    for (const [at, credential] of [
      ['a token', token],
      ['no token', null],
      ['a wrong token', 'pp_sess_wrong'],
    ] as const) {
      const first = await server.call('GET', '/api/v1/nothing', undefined, { token: credential })
      assert.equal(first.body.error, 'ROUTE_NOT_FOUND', at)
      const [limit, remaining] = shown(first)
      const second = await server.call('POST', '/api/v1/session', {}, { token: credential })
      assert.deepEqual([second.status, shown(second)[0]], [405, 20], at)
      const third = await server.call('GET', '/api/v1/nothing/else', undefined, { token: credential })
      assert.deepEqual([third.status, ...shown(third)], [404, limit, remaining! - 1], at)
      assert.ok(Number(third.headers.get('x-ratelimit-reset')) > Date.now() / 1000)
    }
    const known = await server.call('GET', '/api/v1/session', undefined, { token })
    assert.deepEqual(shown(known), [60, 57])
    for (let count = 0; count < 60; count++) await server.call('GET', '/api/v1/nothing', undefined, { token })
    isRefused(await server.call('GET', '/api/v1/nothing', undefined, { token }))
    isRefused(await server.call('GET', '/api/v1/session', undefined, { token }))
  })

  test('health checks, wrong tokens and unknown addresses of other surfaces are not counted', async () => {
    for (const [path, token] of [
      ['/api/v1/health', null],
      ['/api/v1/session', 'pp_sess_wrong'],
      ['/health', null],
      ['/nothing', server.token],
      ['/v1/nothing', server.token],
    ] as const)
      assert.equal((await server.call('GET', path, undefined, { token })).headers.get('x-ratelimit-limit'), null, path)
  })

  test("other surfaces refuse in their own envelope without doing the work; the owner's account has no limit there", async () => {
    const token = await server.newAccount()
    for (let count = 0; count < 6; count++) {
      const answer = await server.post('/memory/write', { path: 'a', content: String(count) }, { token })
      assert.deepEqual([answer.status, ...shown(answer)], [200, 6, 5 - count])
    }
    const headers = { 'idempotency-key': 'again' }
    const refused = await server.post('/memory/write', { path: 'a', content: 'more' }, { token, headers })
    isRefused(refused)
    const { code, action, limit } = refused.body
    assert.deepEqual([code, action, limit], ['RATE_LIMITED', 'WAIT', 6])
    const { body } = await server.call('GET', '/api/v1/credits/me', undefined, { token })
    assert.equal(body.storageUsedBytes, 1)
    for (let count = 0; count < 20; count++) {
      const answer = await server.post('/memory/usage')
      assert.deepEqual([answer.status, answer.headers.get('x-ratelimit-limit')], [200, null])
    }
  })

  test('opening a WebSocket counts as a request, messages on it do not', async () => {
    const token = await server.newAccount()
    const client = await SocketClient.open(server, { token })
    for (let count = 0; count < 10; count++)
      for (const type of ['memory_usage', 'balance']) assert.equal((await client.ask({ type })).type, `${type}_result`)
    for (let count = 0; count < 3; count++) await (await SocketClient.open(server, { token })).close()
    for (const path of ['/ws', '/v1/exec']) {
      const socket = new WebSocket(server.url.replace('http', 'ws') + path, {
        headers: { authorization: `Bearer ${token}` },
      })
      socket.on('error', () => {})
      const [, answer] = (await once(socket, 'unexpected-response')) as [
        unknown,
        { statusCode: number; headers: Record<string, string> },
      ]
      assert.equal(answer.statusCode, 429)
      assert.ok(Number(answer.headers['retry-after']) >= 1)
      assert.equal(answer.headers['x-ratelimit-limit'], '4')
      socket.terminate()
    }
    assert.equal((await client.ask({ type: 'memory_usage' })).type, 'memory_usage_result')
    await client.close()
    isRefused(await server.call('GET', '/balance', undefined, { token }))
  })
})
