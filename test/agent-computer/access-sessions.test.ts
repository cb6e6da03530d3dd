import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { enterSession, whileEntered } from '../../src/engine/computers/access-sessions/enter-session.ts'
import { pruneSessions } from '../../src/engine/computers/access-sessions/prune-sessions.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('the access sessions of a computer', { timeout: 120_000 }, () => {
  let server: TestApp
  let computerId: string
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
  })
  after(() => server.stop())
  const settled = async (operation: { id: string }) =>
    until(
      () => server.call('GET', `/v1/operations/${operation.id}`),
      ({ body }) => body.operation.status !== 'running',
    )
  beforeEach(async () => {
    const { body } = await server.post('/v1/computers', {})
    await settled(body.operation)
    computerId = body.computer.id
  })

  const path = (sessionId = '') => `/v1/computers/${computerId}/access-sessions${sessionId && `/${sessionId}`}`
  const create = async (body: object = {}, token = server.token) => {
    const answer = await server.call('POST', path(), { kind: 'exec', ...body }, { token })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body.session
  }
  const read = async (id: string) => (await server.call('GET', path(id))).body.session
  const act = async (action: string) =>
    settled((await server.call('POST', `/v1/computers/${computerId}/actions/${action}`)).body.operation)
  const enter = (token: string) => enterSession(server.engine, 'exec', token)
  /** Resolves with the reason for which what is open in a session ends. */
  const whenEnded = async (token: string) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    whileEntered(server.engine, await enter(token), resolve)
    return { ended: promise }
  }
  const refused = { code: 'unauthenticated' }

  test('have the fields of the document, and show the token once', async () => {
    const created = await create({ ttl_seconds: 60 })
    const { id, connect_token: token, created_at, expires_at, ...rest } = created
    assert.match(token, /^pp_access_[\w-]{43}$/)
    assert.equal(Date.parse(expires_at) - Date.parse(created_at), 60_000)
    assert.deepEqual(rest, {
      computer_id: computerId,
      kind: 'exec',
      state: 'active',
      access_url: `${server.url}?access_token=${token}`,
      connect_url: server.url,
      transport: {
        protocol: 'connectrpc',
        auth: 'bearer',
        service: 'process.Process',
        base_path: '/process.Process/',
        capabilities: ['process'],
      },
      revoked_at: null,
    })
    assert.deepEqual(await read(id), { ...created, access_url: server.url, connect_token: null })
    const { row } = (await enter(token)).computer
    assert.equal(row.id, computerId)
    const rows = await server.db.selectFrom('access_sessions').selectAll().where('id', '=', id).execute()
    assert.ok(!JSON.stringify(rows).includes(token) && !server.log().includes(token))
  })

  for (const [what, body, status, code] of [
    ['an unknown kind', { kind: 'telnet' }, 400, 'invalid_request'],
    ['no time', { kind: 'exec', ttl_seconds: 0 }, 400, 'invalid_request'],
    ['more than a day', { kind: 'exec', ttl_seconds: 86_401 }, 400, 'invalid_request'],
    ['half a second', { kind: 'exec', ttl_seconds: 60.5 }, 400, 'invalid_request'],
  ] as const)
    test(`${what} is refused`, async () => {
      const answer = await server.call('POST', path(), body)
      assert.deepEqual([answer.status, answer.body.error.code], [status, code])
    })

  test('a computer that does not run gets none', async () => {
    await act('stop')
    const { status, body } = await server.call('POST', path(), { kind: 'exec' })
    assert.deepEqual([status, body.error.code, body.state], [409, 'conflict', 'stopped'])
  })

  test('a revoked one is refused from then on, and what is open in it ends', async () => {
    const [revoked, other] = [await create(), await create()]
    const { ended } = await whenEnded(revoked.connect_token)
    for (let time = 0; time < 2; time++) assert.equal((await server.call('DELETE', path(revoked.id))).status, 204)
    assert.match(await ended, /was revoked/)
    await assert.rejects(enter(revoked.connect_token), refused)
    await enter(other.connect_token)
    const { state, revoked_at } = await read(revoked.id)
    assert.deepEqual([state, typeof revoked_at], ['revoked', 'string'])
    assert.equal((await server.call('DELETE', path('none'))).status, 404)
  })

  test('one that is revoked while it is entered ends as well', async () => {
    const { id, connect_token } = await create()
    const entered = await enter(connect_token)
    await server.call('DELETE', path(id))
    const { promise, resolve } = Promise.withResolvers<string>()
    whileEntered(server.engine, entered, resolve)
    assert.match(await promise, /was revoked/)
  })

  test('one expires', async () => {
    const { id, connect_token } = await create()
    const expireAt = (time: number) =>
      server.db.updateTable('access_sessions').set({ expires_at: time }).where('id', '=', id).execute()
    await expireAt(Date.now() + 200)
    const { ended } = await whenEnded(connect_token)
    assert.match(await ended, /expired/)
    await assert.rejects(enter(connect_token), refused)
    assert.equal((await read(id)).state, 'expired')
    await expireAt(Date.now() - limits.endedAccessSessionMs - 1)
    await pruneSessions(server.engine)
    assert.equal((await server.call('GET', path(id))).status, 404)
  })

  test('one ends with the run of its computer, and does not return with the next', async () => {
    const { id, connect_token } = await create()
    const { ended } = await whenEnded(connect_token)
    await act('stop')
    assert.match(await ended, /has stopped/)
    await act('start')
    await assert.rejects(enter(connect_token), refused)
    assert.equal((await read(id)).state, 'ended')
  })

  test('one ends with its computer', async () => {
    const { id, connect_token } = await create()
    await settled((await server.call('DELETE', `/v1/computers/${computerId}`)).body.operation)
    await assert.rejects(enter(connect_token), refused)
    assert.deepEqual(await server.db.selectFrom('access_sessions').selectAll().where('id', '=', id).execute(), [])
  })

  test('one ends when its computer gets another workspace', async () => {
    const { connect_token } = await create()
    const other = await server.newAccount()
    const { body } = await server.call('GET', '/v1/me', undefined, { token: other })
    await server.db.updateTable('computers').set({ account_id: body.id }).where('id', '=', computerId).execute()
    await assert.rejects(enter(connect_token), refused)
    assert.deepEqual((await server.call('GET', path('none'), undefined, { token: other })).status, 404)
  })

  test('one ends with the API key that created it', async () => {
    const { body: key } = await server.post('/users/me/api-keys', { name: 'creator' })
    const { connect_token } = await create({}, key.api_key)
    const { ended } = await whenEnded(connect_token)
    await server.call('DELETE', '/users/me/api-keys', { key_id: key.key_id })
    assert.match(await ended, /no longer valid/)
    await assert.rejects(enter(connect_token), refused)
  })

  test('a token of another kind opens nothing', async () => {
    const { connect_token } = await create()
    for (const token of [server.token, `${connect_token}x`, '']) await assert.rejects(enter(token), refused)
    await assert.rejects(enterSession(server.engine, 'vnc', connect_token), refused)
    assert.equal((await server.call('GET', '/v1/me', undefined, { token: connect_token })).status, 401)
  })

  test('a computer has a limited number of them, of which the oldest that are over are dropped', async () => {
    const first = await create()
    await server.call('DELETE', path(first.id))
    const row = await server.db
      .selectFrom('access_sessions')
      .selectAll()
      .where('id', '=', first.id)
      .executeTakeFirstOrThrow()
    const insert = (prefix: string, count: number, revoked_at: number | null) => {
      const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`)
      const later = { ...row, created_at: Date.now() + 1, revoked_at }
      return server.db
        .insertInto('access_sessions')
        .values(names.map((name) => ({ ...later, id: name, hash: name })))
        .execute()
    }
    await insert('over', limits.endedAccessSessionsPerComputer, 1)
    await create()
    assert.equal((await server.call('GET', path(first.id))).status, 404)
    await insert('open', limits.accessSessionsPerComputer - 1, null)
    const { status, body } = await server.call('POST', path(), { kind: 'exec' })
    assert.deepEqual([status, body.error.code], [429, 'limit_reached'])
  })
})
