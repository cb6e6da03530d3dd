import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { newAddress, signInByMail } from './outbox.ts'

describe('the sessions of a user', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
  })
  after(() => server.stop())

  const call = (method: string, token: string, id?: string) =>
    server.call(method, `/users/me/sessions${id === undefined ? '' : `/${id}`}`, undefined, { token })
  const statusOf = async (token: string) => (await server.call('GET', '/users/me', undefined, { token })).status
  const signInTwice = async () => {
    const address = newAddress()
    return [await signInByMail(server, address), await signInByMail(server, address)] as const
  }

  test('are listed without their tokens, the newest first, with the requesting one marked', async () => {
    const [older, newer] = await signInTwice()
    const { status, body } = await call('GET', older)
    assert.equal(status, 200)
    assert.deepEqual(
      body.sessions.map(({ how, current }: { how: string; current: boolean }) => [how, current]),
      [
        ['email', false],
        ['email', true],
      ],
    )
    for (const token of [older, newer]) assert.ok(!JSON.stringify(body).includes(token))
    assert.ok(Date.parse(body.sessions[0].expires_at) > Date.now() + 29 * 24 * 3_600_000)
  })

  test('end one by one, and by "current", from the next request on', async () => {
    const [own, other] = await signInTwice()
    const { body } = await call('GET', own)
    const { session_id: id } = body.sessions.find(({ current }: { current: boolean }) => !current)
    assert.deepEqual((await call('DELETE', own, id)).body, { message: 'Signed out', session_id: id })
    assert.deepEqual([await statusOf(other), await statusOf(own)], [401, 200])
    assert.equal((await call('DELETE', own, id)).status, 404)
    assert.equal((await call('DELETE', own, 'current')).status, 200)
    assert.equal(await statusOf(own), 401)
  })

  test('end together, except the requesting one', async () => {
    const [own, other] = await signInTwice()
    const { body: key } = await server.post('/users/me/api-keys', { name: 'stays' }, { token: own })
    assert.equal((await call('DELETE', own)).body.ended, 1)
    assert.deepEqual([await statusOf(own), await statusOf(other), await statusOf(key.api_key)], [200, 401, 200])
    assert.equal((await call('DELETE', own)).body.ended, 0)
  })

  const refresh = (token: string) => server.post('/auth/refresh', { token }, { token: null })
  /** Returns a session in its last hour, the one that it was refreshed to, which has been used, and their ids. */
  const renewed = async () => {
    const old = await signInByMail(server)
    const oldId = (await call('GET', old)).body.sessions[0].session_id as string
    const endsSoon = { expires_at: Date.now() + 3_500_000 }
    await withDatabase((db) => db.updateTable('tokens').set(endsSoon).where('id', '=', oldId).execute())
    const next = (await refresh(old)).body.token as string
    assert.equal(await statusOf(next), 200)
    const { sessions } = (await call('GET', next)).body
    const nextId = sessions.find(({ current }: { current: boolean }) => current).session_id as string
    return { old, oldId, next, nextId }
  }

  test('end with the one that they were refreshed from, which gives no other any more', async () => {
    const { old, next } = await renewed()
    assert.equal((await refresh(old)).status, 409)
    assert.equal((await call('DELETE', next, 'current')).status, 200)
    assert.deepEqual([await statusOf(next), await statusOf(old)], [401, 401])
    for (let time = 0; time < 2; time++) assert.equal((await refresh(old)).status, 401)
  })

  test('end with the one that they were refreshed to', async () => {
    const { old, next } = await renewed()
    assert.equal((await call('DELETE', old, 'current')).status, 200)
    assert.deepEqual([await statusOf(old), await statusOf(next)], [401, 401])
  })

  test('never end the requesting one with another of its chain, and a session with a used successor gives no other even then', async () => {
    const { old, next, nextId } = await renewed()
    assert.equal((await call('DELETE', old, nextId)).status, 200)
    assert.deepEqual([await statusOf(old), await statusOf(next)], [200, 401])
    assert.equal((await refresh(old)).status, 409)
    const others = await renewed()
    assert.equal((await call('DELETE', others.next, others.oldId)).status, 200)
    assert.deepEqual([await statusOf(others.old), await statusOf(others.next)], [401, 200])
  })

  test('are not accessible to API keys', async () => {
    const token = await signInByMail(server)
    const { body: key } = await server.post('/users/me/api-keys', { name: 'ci' }, { token })
    for (const [method, id] of [['GET'], ['DELETE'], ['DELETE', 'current']] as const) {
      const { status, body } = await call(method, key.api_key, id)
      assert.deepEqual([status, body.code], [403, 'FORBIDDEN'])
    }
    assert.equal(await statusOf(token), 200)
  })

  test('carrel logout ends one and deletes its token, with --everywhere the others too', async () => {
    using home = new CliHome()
    const [own, other] = await signInTwice()
    const config = () => JSON.parse(readFileSync(join(home.path, '.carrel/config.json'), 'utf8'))
    const options = { env: { CARREL_URL: server.url, CARREL_DATA: home.path } }
    assert.equal((await home.run(['login', own], options)).exitCode, 0)
    const { stdout, exitCode } = await home.run(['logout', '--everywhere'], options)
    assert.deepEqual([exitCode, stdout], [0, `Logged out of ${server.url}, and of 1 other session\n`])
    assert.deepEqual([await statusOf(own), await statusOf(other)], [401, 401])
    assert.deepEqual(config(), { url: server.url })
    const again = await home.run(['logout'], options)
    assert.equal(again.exitCode, 2)
    assert.match(again.stderr, /not logged in/)
    const byVariable = await home.run(['logout'], { env: { ...options.env, CARREL_TOKEN: own } })
    assert.equal(byVariable.stdout, `The token was no longer valid for ${server.url}\n`)
    assert.match(byVariable.stderr, /still in CARREL_TOKEN/)
  })
})
