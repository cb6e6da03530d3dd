import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { ConnectSpec } from '../../src/drivers/driver.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { PageVisitor } from '../support/computer-page.ts'
import { TestApp } from '../support/test-app.ts'
import { until } from '../support/server.ts'
import { signInByMail } from '../identity/outbox.ts'

const env = {
  CARREL_MEMORY_OVERCOMMIT: '100',
  CARREL_DISK_OVERCOMMIT: '100',
  CARREL_BILLING: 'on',
  CARREL_SIGN_INS_PER_MINUTE: '0',
}

describe('the transfer of a computer', { timeout: 120_000 }, () => {
  let server: TestApp
  let token: string
  let own: AgentComputers
  let team: AgentComputers
  let teamId: string
  before(async () => {
    server = await TestApp.start({ env })
    token = await signInByMail(server)
    teamId = await newWorkspace(token)
    own = new AgentComputers(server, token)
    team = new AgentComputers(server, `${token}~${teamId}`)
  })
  after(() => server.stop())

  async function newWorkspace(of: string, { paid } = { paid: true }): Promise<string> {
    const { body } = await server.call('POST', '/v1/workspaces', { name: 'Team' }, { token: of })
    const id = body.workspace_id as string
    const { prices } = server.engine
    const quote = quoteFor(prices, { tier: 'starter' })
    if (paid) await topUp(server.db, prices, { accountId: id, key: `pay:${id}`, method: 'test', quote })
    return id
  }

  const give = (handle: string, target: string, from = own) =>
    from.call('POST', `/computers/${handle}/actions/transfer`, { target_org_id: target })

  test('the computer runs on in the other workspace, with its files and snapshots', async () => {
    const { id } = await own.create({ handle: 'given' })
    await own.shell('given', 'echo mine > file')
    const snapshot = await own.snapshot('given')
    const { status, body } = await give('given', teamId)
    assert.deepEqual([status, body.computer.id, body.computer.clerk_org_id], [200, id, teamId], JSON.stringify(body))
    assert.equal(await own.read('given'), undefined)
    assert.equal((await own.call('GET', `/snapshots/${snapshot.id}`)).status, 404)
    assert.equal((await give('given', teamId)).status, 404)
    assert.equal((await team.read('given')).state, 'running')
    assert.equal(await team.shell('given', 'cat file'), 'mine\n')
    assert.equal((await team.call('GET', `/snapshots/${snapshot.id}`)).body.snapshot.computer_id, id)
    await team.done('POST', `/snapshots/${snapshot.id}/restore`, { handle: 'again' })
  })

  test('what the old workspace has open on it ends, and its processes are not shown to the new one', async () => {
    const { id } = await own.create({ handle: 'open' })
    const post = (path: string, body: object) => server.call('POST', path, { ...body, sessionId: 'open' }, { token })
    assert.equal((await post('/process/start', { command: 'sleep 1000', processId: 'web' })).status, 200)
    assert.equal((await post('/expose', { port: 8080 })).status, 200)
    const [process] = server.driver.processesOn(id)
    await server.db.updateTable('computers').set({ authorized_keys: 'ssh-ed25519 AAAA' }).where('id', '=', id).execute()
    const certificate = { id: 'certificate', computer_id: id, user_id: null, token_id: null, ssh_key_id: null }
    await server.db
      .insertInto('ssh_certificates')
      .values({ ...certificate, account_id: 'old', created_at: 0, expires_at: Date.now() + 60_000 })
      .execute()
    const seen: string[] = []
    server.engine.liveEvents.subscribe(id, (event) => seen.push('state' in event ? event.state : event.type))
    assert.equal((await give('open', teamId)).status, 200)
    assert.ok(process!.exit)
    assert.equal(seen.at(-1), 'deleting')
    await team.done('POST', '/computers/open/actions/stop')
    assert.equal(seen.at(-1), 'deleting')
    const { authorized_keys } = await server.db
      .selectFrom('computers')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    assert.equal(authorized_keys, null)
    for (const table of ['ports', 'processes', 'ssh_certificates'] as const)
      assert.deepEqual(await server.db.selectFrom(table).selectAll().where('computer_id', '=', id).execute(), [], table)
  })

  test('a page that shows its desktop and plays its sound learns that it belongs to another workspace', async (t) => {
    const { id } = await own.create({ handle: 'watched' })
    const guest = createServer((connection) => connection.on('error', () => {}).write('RFB 003.008\n'))
    await once(guest.listen(0, '127.0.0.1'), 'listening')
    t.after(() => guest.close())
    const { engine, driver } = server
    const streams: Readable[] = []
    const keep = <T extends Readable>(stream: T) => streams.push(stream) && stream
    t.mock.method(engine.desktops, 'open', async () => ({
      connect: async () => keep(connect((guest.address() as AddressInfo).port, '127.0.0.1')),
      ended: new Promise(() => {}),
    }))
    const dial = driver.connect.bind(driver)
    t.mock.method(driver, 'connect', async (of: string, spec: ConnectSpec) => {
      const connected = await dial(of, { ...spec, argv: ['sleep', '1000'] })
      keep(connected.stdout)
      return connected
    })
    const { visitor } = await PageVisitor.enter(server, own, id)
    const sockets = ['desktop', 'desktop', 'sound'].map((what) => visitor.socket(`/api/${what}/socket`))
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await Promise.all(sockets.map((socket) => once(socket, 'message')))
    const end = driver.endPrograms.bind(driver)
    t.mock.method(driver, 'endPrograms', async (of: string) => {
      // The page hears of the end of each, one by a failure, before the transfer goes on.
      const ended = streams.map((stream) => new Promise((resolve) => stream.once('close', resolve)))
      await end(of)
      const [one, other] = streams
      one!.destroy()
      other!.destroy(new Error('reset'))
      await Promise.all(ended)
      await setImmediate()
    })
    assert.equal((await give('watched', teamId)).status, 200)
    const gone = 'the computer belongs to another workspace now'
    for (const [code, reason] of await closed) assert.deepEqual([code, String(reason)], [4409, gone])
  })

  test('each workspace pays for its own time', async () => {
    const { id } = await own.create({ handle: 'paid' })
    await give('paid', teamId)
    await team.done('POST', '/computers/paid/actions/stop')
    const intervals = await until(
      () =>
        server.db
          .selectFrom('usage_intervals')
          .selectAll()
          .where('computer_id', '=', id)
          .where('meter', '=', 'compute')
          .orderBy('started_at')
          .execute(),
      (rows) => rows.length >= 2,
    )
    const accounts = intervals.map(({ account_id }) => account_id)
    assert.deepEqual([accounts.at(-1) === teamId, accounts[0] === teamId], [true, false])
    for (const [index, { started_at }] of intervals.entries())
      if (index > 0) assert.ok(Number(started_at) >= Number(intervals[index - 1]!.ended_at))
  })

  test('a transfer without rights, room or credit is refused, and changes nothing', async () => {
    await own.create({ handle: 'stays' })
    await team.create({ handle: 'twice' })
    await own.create({ handle: 'twice' })
    const stranger = await signInByMail(server)
    const foreign = await newWorkspace(stranger)
    const poor = await newWorkspace(token, { paid: false })
    const key = (await server.call('POST', '/users/me/api-keys', { name: 'key' }, { token })).body.api_key as string
    for (const [handle, target, status, code, from] of [
      ['stays', 'none', 404, 'not_found'],
      ['stays', foreign, 404, 'not_found'],
      ['stays', poor, 402, 'out_of_credits'],
      ['twice', teamId, 409, 'already_exists'],
      ['stays', teamId, 404, 'not_found', new AgentComputers(server, key)],
      ['stays', foreign, 404, 'not_found', new AgentComputers(server, stranger)],
    ] as const) {
      const { status: got, body } = await give(handle, target, from)
      assert.deepEqual([got, body.error.code], [status, code], `${handle} to ${target}: ${JSON.stringify(body)}`)
    }
    assert.equal((await own.read('stays')).state, 'running')
    const { clerk_org_id } = await own.read('stays')
    assert.equal((await give('stays', clerk_org_id)).status, 400)
  })

  test('a member who is no admin cannot give a computer away', async () => {
    await team.create({ handle: 'shared' })
    const { body } = await server.call('GET', '/users/me', undefined, { token })
    const role = (role: 'member' | 'owner') =>
      server.db
        .updateTable('memberships')
        .set({ role })
        .where('account_id', '=', teamId)
        .where('user_id', '=', body.user_id)
        .execute()
    await role('member')
    const own = (await server.call('GET', '/v1/workspaces', undefined, { token })).body.current
    const refused = await give('shared', own, team)
    await role('owner')
    assert.deepEqual([refused.status, refused.body.error.code], [403, 'forbidden'])
    assert.equal((await give('shared', own, team)).status, 200)
  })
})
