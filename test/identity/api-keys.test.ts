import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { limits } from '../../src/config/limits.ts'
import { until } from '../support/server.ts'
import { storedText } from '../support/stored-text.ts'
import { TestApp } from '../support/test-app.ts'

describe('API keys', { timeout: 300_000 }, () => {
  let server: TestApp
  let token: string
  before(async () => {
    server = await TestApp.start()
    token = await server.newAccount('keys')
  })
  after(() => server.stop())

  const create = async (body: Record<string, unknown> = {}, by = token) =>
    (await server.post('/users/me/api-keys', body, { token: by })).body
  const revoke = (keyId: string, by = token) =>
    server.call('DELETE', '/users/me/api-keys', { key_id: keyId }, { token: by })
  const list = async () => (await server.call('GET', '/users/me/api-keys', undefined, { token })).body.api_keys
  const use = (key: string) => server.post('/memory/usage', {}, { token: key })

  test('a key may do what its account may, and its secret is shown once', async () => {
    const key = await create({ name: 'ci' })
    assert.match(key.api_key, /^ak_[\w-]{43}$/)
    assert.deepEqual([key.name, key.scopes, key.expires_at, key.last_used_at], ['ci', null, null, null])
    assert.equal((await use(key.api_key)).status, 200)
    const listed = (await list()).find(({ key_id }: { key_id: string }) => key_id === key.key_id)
    assert.equal(listed.api_key, undefined)
    assert.ok(Math.abs(Date.now() - Date.parse(listed.last_used_at)) < 60_000)
    assert.ok(!(await storedText()).includes(key.api_key.slice(3)))
  })

  test('creating a key needs neither a name nor a body', async () => {
    assert.equal((await create({ name: null })).name, '')
    assert.equal((await create()).name, '')
  })

  test('a revoked key is refused from the next request on, and revoked once', async () => {
    const key = await create()
    assert.equal((await use(key.api_key)).status, 200)
    const { status, body } = await revoke(key.key_id)
    assert.deepEqual([status, body.revoked_key_id], [200, key.key_id])
    assert.equal((await use(key.api_key)).status, 401)
    assert.equal((await revoke(key.key_id)).status, 404)
    assert.ok(!(await list()).some(({ key_id }: { key_id: string }) => key_id === key.key_id))
  })

  test('an expired key is refused', async () => {
    const key = await create({ expires_in: 2 })
    assert.equal((await use(key.api_key)).status, 200)
    await until(
      () => use(key.api_key),
      ({ status }) => status === 401,
    )
  })

  test('a key with the scope compute manages no keys and creates none that can', async () => {
    const key = await create({ scopes: ['compute'] })
    assert.equal((await use(key.api_key)).status, 200)
    assert.equal((await server.call('GET', '/users/me', undefined, { token: key.api_key })).status, 200)
    const { status, body } = await server.post('/users/me/api-keys', {}, { token: key.api_key })
    assert.deepEqual([status, body.code, body.scope], [403, 'FORBIDDEN', 'account'])
    assert.equal((await revoke(key.key_id, key.api_key)).status, 403)
  })

  test('a key with the scope account uses no computers and creates only keys like itself', async () => {
    const { api_key: manager } = await create({ scopes: ['account'] })
    assert.equal((await use(manager)).status, 403)
    assert.deepEqual((await create({}, manager)).scopes, ['account'])
    const { status } = await server.post('/users/me/api-keys', { scopes: ['compute'] }, { token: manager })
    assert.equal(status, 403)
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/exec`, {
      headers: { authorization: `Bearer ${manager}` },
    })
    socket.on('error', () => {})
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    assert.equal(answer.statusCode, 403)
    socket.terminate()
  })

  for (const [why, body] of Object.entries({
    'a scope that is none': { scopes: ['root'] },
    'no scope': { scopes: [] },
    'an end in the past': { expires_in: -1 },
    'half a second': { expires_in: 0.5 },
    'an endless name': { name: 'x'.repeat(limits.apiKeyNameLength + 1) },
    'a field that is none': { admin: true },
  }))
    test(`${why} is refused`, async () => {
      const { status, body: answer } = await server.post('/users/me/api-keys', body, { token })
      assert.deepEqual([status, answer.code], [422, 'INVALID_REQUEST'])
    })

  test('keys are limited per account, and revoking one makes room', async () => {
    const full = await server.newAccount('full')
    const made = []
    for (let count = 0; count < limits.apiKeysPerAccount; count++) made.push(await create({}, full))
    const { status, body } = await server.post('/users/me/api-keys', {}, { token: full })
    assert.deepEqual([status, body.limit], [429, limits.apiKeysPerAccount])
    await revoke(made[0].key_id, full)
    assert.match((await create({}, full)).api_key, /^ak_/)
  })

  test('GET /users/me returns the user of the token', async () => {
    const { body } = await server.call('GET', '/users/me', undefined, { token })
    assert.deepEqual([body.name, body.email, body.github_id, body.is_active], ['keys', '', null, true])
    assert.equal(new Date(body.created_at).toISOString(), body.created_at)
  })
})
