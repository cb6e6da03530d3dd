import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import type { Database } from '../../src/db/schema.ts'
import { deletionPlan } from '../../src/engine/deletion/deletion-plan.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { newSession, testDataDirectory, TestServer, until } from '../support/server.ts'
import { storedText } from '../support/stored-text.ts'
import { withDatabase } from '../support/with-database.ts'
import { linkIn, messagesTo, newAddress, signInByMail } from './outbox.ts'

const graceMs = 30 * 24 * 3600 * 1000
const env = { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_SWEEP_INTERVAL_MS: '100' }

describe('deleting an account', { timeout: 300_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start({ env })
  })
  after(() => server.stop())

  const get = async (path: string, token: string) => (await server.call('GET', path, undefined, { token })).body
  const leave = (token: string) => server.call('DELETE', '/api/v1/account/delete', undefined, { token })
  const stay = (token: string) => server.post('/api/v1/account/cancel-deletion', {}, { token })
  const isRefused = async (token: string) =>
    (await server.call('GET', '/users/me', undefined, { token })).status === 401
  /** Returns what each surface reports. */
  const shown = async (token: string) => [
    (await get('/users/me', token)).is_active,
    (await get('/users/me', token)).delete_at,
    (await get('/v1/me', token)).delete_at,
    (await get('/api/v1/session', token)).deleteAt,
  ]
  /** Makes the deletion due, as after 30 days. */
  const letTimePass = (userId: string) =>
    withDatabase((db) => db.updateTable('users').set({ delete_at: Date.now() }).where('id', '=', userId).execute())

  test('is scheduled in 30 days, every surface reports it, and everything works meanwhile', async () => {
    const token = await signInByMail(server)
    assert.deepEqual(await shown(token), [true, undefined, undefined, null])
    const { status, body } = await leave(token)
    assert.equal(status, 200)
    const { deleteAt } = body
    assert.ok(Math.abs(Date.parse(deleteAt) - Date.now() - graceMs) < 60_000)
    assert.match(body.message, /cancel-deletion/)
    assert.deepEqual(await shown(token), [false, deleteAt, deleteAt, deleteAt])
    assert.equal((await leave(token)).body.deleteAt, deleteAt, 'asked again, the day stays')
    const run = await server.post('/execute', { code: 'echo on', language: 'shell' }, { token })
    assert.equal(run.body.result.stdout, 'on\n')
    assert.equal((await server.post('/memory/write', { path: 'a', content: 'b' }, { token })).status, 200)
    assert.equal((await server.post('/users/me/api-keys', {}, { token })).status, 200)
  })

  test('is announced to the user by mail, once, with how to cancel it', async () => {
    const address = newAddress()
    const token = await signInByMail(server, address)
    const { deleteAt } = (await leave(token)).body
    await leave(token)
    const messages = messagesTo(address).filter((message) => message.includes('cancel-deletion'))
    assert.equal(messages.length, 1)
    assert.match(messages[0]!, new RegExp(deleteAt.slice(0, 10)))
  })

  test('is cancelled by a request, not by signing in', async () => {
    const address = newAddress()
    const token = await signInByMail(server, address)
    const { body } = await leave(token)
    const again = await signInByMail(server, address)
    assert.deepEqual((await shown(again)).slice(1), [body.deleteAt, body.deleteAt, body.deleteAt])
    assert.deepEqual([(await stay(again)).status, (await stay(again)).status], [200, 200])
    for (const each of [token, again]) assert.deepEqual(await shown(each), [true, undefined, undefined, null])
    const events = await withDatabase((db) => db.selectFrom('events').select('type').execute())
    for (const type of ['user.deletion_scheduled', 'user.deletion_cancelled'])
      assert.ok(events.some((event) => event.type === type))
  })

  test("is refused for the owner's account and for an account without a user", async () => {
    for (const token of [server.token, await server.newAccount()]) {
      const { status, body } = await leave(token)
      assert.deepEqual([status, body.error], [409, 'CONFLICT'])
      assert.match(body.message, /belongs to no user/)
    }
  })

  test('cannot be scheduled or cancelled by an API key, whatever its scopes', async () => {
    const token = await signInByMail(server)
    const key = async (body: object) => (await server.post('/users/me/api-keys', body, { token })).body.api_key
    for (const each of [await key({ scopes: ['compute'] }), await key({ scopes: ['account'] }), await key({})]) {
      const { status, body } = await leave(each)
      assert.deepEqual([status, body.error], [403, 'FORBIDDEN'])
    }
    assert.equal((await get('/users/me', token)).is_active, true)
    await leave(token)
    for (const each of [await key({ scopes: ['account'] }), await key({})]) assert.equal((await stay(each)).status, 403)
    assert.equal((await get('/users/me', token)).is_active, false)
  })

  test('scheduling and cancelling repeatedly fills no mailbox', async () => {
    const address = newAddress()
    const token = await signInByMail(server, address)
    for (let count = 0; count < limits.noticesPerDay + 2; count++) {
      assert.equal((await leave(token)).status, 200)
      assert.equal((await stay(token)).status, 200)
    }
    const messages = messagesTo(address).filter((message) => message.includes('cancel-deletion'))
    assert.equal(messages.length, limits.noticesPerDay)
  })

  /** Creates a user who has something of everything. */
  async function settled() {
    const address = newAddress()
    const token = await signInByMail(server, address)
    const sessionId = newSession()
    const { account_id: accountId, id: userId } = await withDatabase((db) =>
      db.selectFrom('users').selectAll().where('email', '=', address).executeTakeFirstOrThrow(),
    )
    const asPerson = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const answer = await server.post(path, body, { token, headers })
      assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    await asPerson('/memory/write', { path: 'a', content: address })
    // Large enough for database pages of its own.
    await asPerson('/memory/write', { path: 'large', content: address.repeat(5000) })
    await asPerson('/files/write', { path: 'a', content: address, sessionId })
    const run = { code: 'echo 1; sleep 0.3', language: 'shell', sessionId }
    const executed = await asPerson('/execute', run, { 'idempotency-key': `key of ${address}` })
    const started = await asPerson('/process/start', { command: 'echo 1; sleep 600', sessionId })
    const exposed = await asPerson('/expose', { port: 8080, sessionId })
    const key = await asPerson('/users/me/api-keys', { name: address })
    await server.call('PATCH', '/api/v1/settings', { theme: 'dark' }, { token })
    await server.post('/login', { email: address }, { token: null })
    const [computer] = await withDatabase((db) =>
      db.selectFrom('computers').select('id').where('account_id', '=', accountId).execute(),
    )
    await shares(token)
    const processes = [executed.processId, started.id] as string[]
    const names = [accountId, userId, address, address.split('@')[0]!, sessionId]
    return { address, token, accountId, userId, computerId: computer!.id, processes, key: key.api_key, exposed, names }
  }

  /** Creates a workspace that keeps another member, with entries in its audit log. */
  const shares = async (token: string): Promise<void> => {
    const friend = newAddress()
    const { body: team } = await server.post('/v1/workspaces', { name: 'Team' }, { token })
    const path = `/v1/workspaces/${team.workspace_id}`
    assert.equal((await server.post(`${path}/invitations`, { email: friend, role: 'owner' }, { token })).status, 200)
    const [message] = await until(
      () => messagesTo(friend),
      (found) => found.length > 0,
    )
    const code = new URL(linkIn(message!)).searchParams.get('token')
    await server.post('/invitation', { token: code }, { token: null })
    const friendsToken = await signInByMail(server, friend)
    const { user_id: userId, email } = await get('/users/me', token)
    const role = (to: string) =>
      server.call('PATCH', `${path}/members/${userId}`, { role: to }, { token: friendsToken })
    for (const to of ['member', 'admin']) assert.equal((await role(to)).status, 200)
    await server.call('DELETE', `${path}/members/${userId}`, undefined, { token: friendsToken })
    assert.equal((await server.post(`${path}/invitations`, { email }, { token: friendsToken })).status, 200)
  }
  type Person = Awaited<ReturnType<typeof settled>>

  /** Asserts that no row, file or process is left, and that the ledger is right and names nobody. */
  async function assertGone({ address, accountId, computerId, processes, names }: Person): Promise<void> {
    await withDatabase(async (db) => {
      for (const [table, plan] of Object.entries(deletionPlan)) {
        const rows = await db
          .selectFrom(table as keyof Database)
          .selectAll()
          .execute()
          .then((all) => all.map(readable))
        const own = rows.filter((row) => names.some((name) => row.includes(name)))
        if (plan !== 'ledger' && table !== 'usage_intervals') assert.deepEqual(own, [], table)
        // Ledger rows that stay name the account by its id.
        for (const row of own)
          for (const name of names.filter((each) => each !== accountId))
            assert.ok(!row.includes(name), `${table}: ${row}`)
      }
      assert.deepEqual((await verifyBooks(db, 0)).problems, [])
      const grant = db.selectFrom('ledger_transactions').selectAll().where('key', '=', `grant:${accountId}`)
      assert.equal((await grant.execute()).length, 1)
    })
    assert.ok(!readdirSync(join(testDataDirectory, 'pool', 'computers')).includes(computerId))
    assert.ok(!existsSync(join(testDataDirectory, 'computers', computerId)))
    const kept = readdirSync(join(testDataDirectory, 'processes'))
    for (const id of processes)
      assert.deepEqual(
        kept.filter((name) => name.includes(id)),
        [],
      )
    assert.deepEqual(messagesTo(address), [])
    // Nor in the free pages of SQLite's files, which are erased after the last row.
    const traces = async () => {
      const stored = await storedText()
      return names.filter((name) => name !== accountId && stored.includes(name))
    }
    await until(traces, (found) => found.length === 0)
  }

  test('when it is due, destroys everything and ends connections', async () => {
    const person = await settled()
    const neighbour = await settled()
    assert.equal((await leave(person.token)).status, 200)
    const client = await SocketClient.open(server, { token: person.token })
    const closed = new Promise((resolve) => client.socket.once('close', resolve))
    await letTimePass(person.userId)
    assert.equal(await closed, 1008)
    for (const token of [person.token, person.key]) await until(() => isRefused(token), Boolean)
    await until(
      () => withDatabase((db) => db.selectFrom('accounts').select('id').where('id', '=', person.accountId).execute()),
      (rows) => rows.length === 0,
      60_000,
    )
    await assertGone(person)
    assert.notEqual((await server.preview(person.exposed.url, '/')).status, 200)
    const { body } = await server.post('/memory/read', { path: 'a' }, { token: neighbour.token })
    assert.equal(body.content, neighbour.address)
    const again = await signInByMail(server, person.address)
    assert.notEqual((await get('/users/me', again)).user_id, person.userId, 'who comes back is somebody new')
  })

  test('cannot be cancelled once it has begun', async () => {
    const token = await signInByMail(server)
    await leave(token)
    const { user_id: userId } = await get('/users/me', token)
    await server.stop()
    await letTimePass(userId)
    // No sweep has run in between: a due deletion has begun, whether a sweep has found it or not.
    server = await TestServer.start({ env: { ...env, CARREL_SWEEP_INTERVAL_MS: '3600000' } })
    const { status, body } = await stay(token)
    assert.deepEqual([status, body.error], [409, 'CONFLICT'])
    await server.stop()
    server = await TestServer.start({ env })
    await until(() => isRefused(token), Boolean)
  })

  test('is finished by the next server when the server is killed with -9 in the middle', async () => {
    const person = await settled()
    await letTimePass(person.userId)
    await until(() => isRefused(person.token), Boolean)
    await server.stop('SIGKILL')
    server = await TestServer.start({ env })
    await until(
      () => withDatabase((db) => db.selectFrom('users').select('id').where('id', '=', person.userId).execute()),
      (rows) => rows.length === 0,
      60_000,
    )
    await assertGone(person)
  })
})

/** Returns a row as text, with the bytes of a file. */
function readable(row: object): string {
  return JSON.stringify(row, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  )
}
