import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { newAddress, signInByMail } from './outbox.ts'

const graceMs = 30 * 24 * 3600 * 1000
const env = { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_SWEEP_INTERVAL_MS: '100', CARREL_PLAY_MONEY: 'on' }

describe('deleting a workspace', { timeout: 300_000 }, () => {
  let server: TestApp
  let owner: string
  let member: string
  before(async () => {
    server = await TestApp.start({ env })
    owner = await signInByMail(server)
    member = await signInByMail(server)
  })
  after(() => server.stop())

  const call = (token: string, method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { token })
  const idOf = async (token: string) => (await call(token, 'GET', '/users/me')).body.user_id as string
  const leave = (token: string, id: string) => call(token, 'DELETE', `/v1/workspaces/${id}`)
  const keep = (token: string, id: string) => call(token, 'POST', `/v1/workspaces/${id}/cancel-deletion`, {})
  /** Creates a workspace with a member beside its owner. */
  const create = async () => {
    const id = (await call(owner, 'POST', '/v1/workspaces', { name: 'Shared' })).body.workspace_id as string
    const user_id = await idOf(member)
    await withDatabase((db) =>
      db
        .insertInto('memberships')
        .values({ account_id: id, user_id, role: 'member', created_at: Date.now() })
        .execute(),
    )
    return id
  }
  const letTimePass = (id: string) =>
    withDatabase((db) => db.updateTable('accounts').set({ delete_at: Date.now() }).where('id', '=', id).execute())
  const read = async (token: string, id: string) => (await call(token, 'GET', `/v1/workspaces/${id}`)).body

  test('is scheduled in 30 days, all members see it, and everything works until then', async () => {
    const id = await create()
    assert.deepEqual([(await read(member, id)).members, (await read(member, id)).delete_at], [2, undefined])
    const { status, body } = await leave(owner, id)
    assert.equal(status, 200)
    assert.ok(Math.abs(Date.parse(body.delete_at) - Date.now() - graceMs) < 60_000)
    assert.match(body.message, new RegExp(`${body.delete_at}.*/v1/workspaces/${id}/cancel-deletion`))
    assert.equal((await leave(owner, id)).body.delete_at, body.delete_at, 'the day stays')
    assert.equal((await read(member, id)).delete_at, body.delete_at)
    const { body: listed } = await call(member, 'GET', '/v1/workspaces')
    assert.deepEqual(
      listed.workspaces.map((one: { delete_at?: string }) => one.delete_at),
      [undefined, body.delete_at],
    )
    const file = { path: 'a', content: 'b' }
    assert.equal((await call(`${member}~${id}`, 'POST', '/memory/write', file)).status, 200)
    const kept = await keep(owner, id)
    assert.deepEqual([kept.status, kept.body.delete_at], [200, null])
    assert.equal((await keep(owner, id)).status, 200, 'one that stays')
    assert.equal((await read(member, id)).delete_at, undefined)
    const events = await withDatabase((db) =>
      db.selectFrom('events').select('type').where('account_id', '=', id).execute(),
    )
    for (const type of ['workspace.deletion_scheduled', 'workspace.deletion_cancelled'])
      assert.equal(events.filter((event) => event.type === type).length, 1, type)
  })

  test('takes an owner who is signed in', async () => {
    const id = await create()
    const { body: key } = await call(`${owner}~${id}`, 'POST', '/users/me/api-keys', {})
    for (const token of [member, key.api_key])
      for (const attempt of [leave, keep]) {
        const { status, body } = await attempt(token, id)
        assert.deepEqual([status, body.code], [403, 'FORBIDDEN'])
      }
    assert.equal((await leave(await signInByMail(server), id)).status, 404)
    assert.equal((await read(owner, id)).delete_at, undefined)
  })

  test("is refused for a user's own workspace and for the first one", async () => {
    const own = await leave(owner, 'current')
    assert.deepEqual([own.status, own.body.code], [409, 'CONFLICT'])
    assert.match(own.body.error, /it is deleted with your account$/)
    const first = await leave(server.token, 'current')
    assert.deepEqual([first.status, first.body.code], [409, 'CONFLICT'])
    assert.match(first.body.error, /npm run down/)
  })

  test('when it is due, ends what runs in it, deletes everything, and keeps its members', async () => {
    const id = await create()
    const inside = `${owner}~${id}`
    const guest = newAddress()
    await call(owner, 'POST', `/v1/workspaces/${id}/invitations`, { email: guest })
    await withDatabase((db) =>
      db
        .insertInto('spending_limits')
        .values({ account_id: id, token_id: '', period: 'day', limit_micros: 5_000_000, updated_at: 1 })
        .execute(),
    )
    const { body: payment } = await call(inside, 'POST', '/api/v1/credits/topup', { amountCents: 500 })
    await server.call('POST', new URL(payment.checkoutUrl).pathname + new URL(payment.checkoutUrl).search, '', {
      token: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    assert.equal((await call(inside, 'GET', '/balance')).body.creditsRemaining, 5)
    const { body: started } = await call(inside, 'POST', '/process/start', { command: 'sleep 600' })
    await call(inside, 'POST', '/memory/write', { path: 'plan.md', content: 'secret' })
    await call(owner, 'POST', '/memory/write', { path: 'plan.md', content: 'mine' })
    const { body: key } = await call(inside, 'POST', '/users/me/api-keys', {})
    const [computer] = await withDatabase((db) =>
      db.selectFrom('computers').select('id').where('account_id', '=', id).execute(),
    )
    const exists = async () => (await server.driver.get(computer!.id)) !== undefined
    assert.ok(started.id && (await exists()))
    const client = await SocketClient.open(server, { token: `${member}~${id}` })
    const closed = new Promise((resolve) => client.socket.once('close', resolve))
    assert.equal((await leave(owner, id)).status, 200)
    await letTimePass(id)
    assert.equal(await closed, 1008)
    await until(
      () => withDatabase((db) => db.selectFrom('accounts').select('id').where('id', '=', id).execute()),
      (rows) => rows.length === 0,
      60_000,
    )
    assert.ok(!(await exists()))
    assert.equal((await call(key.api_key, 'GET', '/v1/me')).status, 401)
    for (const token of [owner, member]) {
      assert.equal((await call(`${token}~${id}`, 'POST', '/memory/usage', {})).status, 404)
      const { body } = await call(token, 'GET', '/v1/workspaces')
      assert.ok(!JSON.stringify(body).includes(id))
    }
    assert.equal((await call(owner, 'POST', '/memory/read', { path: 'plan.md' })).body.content, 'mine')
    await withDatabase(async (db) => {
      for (const table of ['computers', 'processes', 'memory_files', 'tokens', 'memberships'] as const)
        assert.deepEqual(await db.selectFrom(table).selectAll().where('account_id', '=', id).execute(), [], table)
      for (const table of ['invitations', 'spending_limits', 'events'] as const)
        assert.deepEqual(await db.selectFrom(table).selectAll().where('account_id', '=', id).execute(), [], table)
      assert.deepEqual((await verifyBooks(db, 0)).problems, [])
      const left = await db
        .selectFrom('ledger_books')
        .select('balance_micros')
        .where('account_id', '=', id)
        .where('kind', '=', 'credit')
        .execute()
      assert.equal(left.length, 1, 'the books keep what was left')
    })
  })

  test('cannot be cancelled once it has begun', async () => {
    const id = await create()
    await leave(owner, id)
    await server.stop()
    await letTimePass(id)
    server = await TestApp.start({ env: { ...env, CARREL_SWEEP_INTERVAL_MS: '3600000' } })
    const { status, body } = await keep(owner, id)
    assert.deepEqual([status, body.code], [409, 'CONFLICT'])
  })
})
