import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { linkIn, messagesTo, newAddress, signInByMail } from './outbox.ts'

interface Person {
  address: string
  token: string
  id: string
}

describe('workspaces', { timeout: 300_000 }, () => {
  let server: TestApp
  let ann: Person
  let bob: Person
  let workspace: string

  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    ann = await newPerson()
    bob = await newPerson()
    workspace = await create(ann)
  })
  after(() => server.stop())

  const call = (who: Person | string, method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { token: typeof who === 'string' ? who : who.token })
  const newPerson = async (): Promise<Person> => {
    const address = newAddress()
    const token = await signInByMail(server, address)
    return { address, token, id: (await call(token, 'GET', '/users/me')).body.user_id }
  }
  const create = async (who: Person, name = 'Research') =>
    (await call(who, 'POST', '/v1/workspaces', { name })).body.workspace_id as string
  const within = (who: Person, id: string) => `${who.token}~${id}`
  const invite = (who: Person, id: string, address: string, role = 'member') =>
    call(who, 'POST', `/v1/workspaces/${id}/invitations`, { email: address, role })
  const codeTo = async (address: string) => {
    const messages = await until(
      () => messagesTo(address).filter((text) => text.includes('/invitation?')),
      (found) => found.length > 0,
    )
    return new URL(linkIn(messages.at(-1)!)).searchParams.get('token')!
  }
  const accept = (token: string, headers: Record<string, string> = {}) =>
    server.call('POST', '/invitation', { token }, { token: null, headers })
  const bringIn = async (inviter: Person, id: string, guest: Person, role = 'member') => {
    const invited = await invite(inviter, id, guest.address, role)
    assert.equal(invited.status, 200, JSON.stringify(invited.body))
    return accept(await codeTo(guest.address))
  }
  const setRole = (who: Person, id: string, userId: string, role: string) =>
    call(who, 'PATCH', `/v1/workspaces/${id}/members/${userId}`, { role })
  const remove = (who: Person, id: string, userId: string) =>
    call(who, 'DELETE', `/v1/workspaces/${id}/members/${userId}`)
  const members = async (who: Person, id: string) =>
    Object.fromEntries(
      (await call(who, 'GET', `/v1/workspaces/${id}/members`)).body.members.map(
        ({ user_id, role }: { user_id: string; role: string }) => [user_id, role],
      ),
    )

  test('every user has one, and creates others, which start without credit', async () => {
    const { body } = await call(ann, 'GET', '/v1/workspaces')
    const [own, made] = body.workspaces
    assert.deepEqual([own.personal, own.role, own.workspace_id], [true, 'owner', body.current])
    assert.deepEqual([made.personal, made.role, made.name, made.workspace_id], [false, 'owner', 'Research', workspace])
    assert.equal((await call(ann, 'GET', '/balance')).body.creditsRemaining, 5)
    assert.equal((await call(within(ann, workspace), 'GET', '/balance')).body.creditsRemaining, 0)
    const run = { code: 'true', language: 'shell' }
    const { status, body: refused } = await call(within(ann, workspace), 'POST', '/execute', run)
    assert.deepEqual([status, refused.code], [402, 'OUT_OF_CREDITS'])
  })

  test('a token followed by the id of a workspace works there, over sockets too', async () => {
    const inside = within(ann, workspace)
    const { body: me } = await call(inside, 'GET', '/v1/me')
    assert.deepEqual([me.id, me.workspace_id], [ann.id, workspace])
    await call(inside, 'POST', '/memory/write', { path: 'plan.md', content: 'of the workspace' })
    assert.equal((await call(ann, 'POST', '/memory/read', { path: 'plan.md' })).status, 404)
    const client = await SocketClient.open(server, { token: inside })
    const { data } = await client.ask({ type: 'memory_read', path: 'plan.md' })
    await client.close()
    assert.equal(data.content, 'of the workspace')
    const { body: ticket } = await call(inside, 'POST', '/ws/session')
    const second = await SocketClient.open(server, { token: null, path: `/ws?token=${ticket.token}` })
    assert.equal((await second.ask({ type: 'memory_read', path: 'plan.md' })).data.content, 'of the workspace')
    await second.close()
  })

  test('others than members get nothing of it, neither by its id nor by a token with it', async () => {
    for (const path of ['', '/members', '/invitations'])
      assert.equal((await call(bob, 'GET', `/v1/workspaces/${workspace}${path}`)).status, 404, path)
    assert.equal((await call(bob, 'PATCH', `/v1/workspaces/${workspace}`, { name: 'Mine' })).status, 404)
    assert.equal((await invite(bob, workspace, bob.address)).status, 404)
    assert.equal((await setRole(bob, workspace, bob.id, 'owner')).status, 404)
    assert.equal((await remove(bob, workspace, ann.id)).status, 404)
    for (const end of [workspace, 'none', '', `${workspace}~`, `${workspace}~${workspace}`]) {
      const { status, body } = await call(`${bob.token}~${end}`, 'POST', '/memory/usage', {})
      assert.deepEqual([status, body.code], [404, 'NOT_FOUND'], end)
    }
    assert.equal((await call(`wrong~${workspace}`, 'POST', '/memory/usage', {})).status, 401)
    await assert.rejects(SocketClient.open(server, { token: within(bob, workspace) }))
  })

  test('an API key works in the workspace that it was created in, and in no other', async () => {
    const { body: own } = await call(ann, 'POST', '/users/me/api-keys', { name: 'own' })
    const { body: key } = await call(within(ann, workspace), 'POST', '/users/me/api-keys', { name: 'shared' })
    assert.equal((await call(key.api_key, 'GET', '/v1/me')).body.workspace_id, workspace)
    assert.equal((await call(`${own.api_key}~${workspace}`, 'GET', '/v1/me')).status, 404)
    assert.equal((await call(`${key.api_key}~${own.workspace_id}`, 'GET', '/v1/me')).status, 404)
    assert.equal((await call(own.api_key, 'GET', `/v1/workspaces/${workspace}`)).status, 404)
    const { body } = await call(key.api_key, 'GET', '/v1/workspaces')
    assert.deepEqual(
      body.workspaces.map((one: { workspace_id: string }) => one.workspace_id),
      [workspace],
    )
    assert.equal((await call(key.api_key, 'POST', '/v1/workspaces', { name: 'By a key' })).status, 403)
    const { body: ofAnn } = await call(ann, 'GET', '/users/me/api-keys')
    assert.ok(!JSON.stringify(ofAnn).includes(key.key_id))
  })

  test('an invitation asks before it is accepted, works once, and is for its address', async () => {
    const id = await create(ann, 'Invited')
    const address = newAddress()
    const { body: sent } = await invite(ann, id, address.toUpperCase(), 'admin')
    assert.deepEqual([sent.email, sent.role], [address, 'admin'])
    const code = await codeTo(address)
    assert.match(
      messagesTo(address)[0]!,
      new RegExp(`${ann.address} invites you into the workspace "Invited" as admin`),
    )
    const look = (headers: Record<string, string> = {}) =>
      server.call('GET', `/invitation?token=${code}`, undefined, { token: null, headers })
    assert.deepEqual((await look()).body, { email: address, role: 'admin', workspace: 'Invited', inviter: ann.address })
    const { body: page } = await look({ accept: 'text/html' })
    assert.match(page, /<form method="post" action="\/invitation">/)
    assert.deepEqual(Object.keys(await members(ann, id)), [ann.id])
    const form = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        server.call('POST', '/invitation', `token=${code}`, { token: null, headers: form }),
      ),
    )
    const joined = answers.find(({ status }) => status === 200)
    assert.equal(answers.filter(({ status }) => status === 401).length, 4)
    assert.equal(joined!.headers.get('cache-control'), 'no-store')
    assert.match(joined!.body, new RegExp(`~${id}`))
    assert.doesNotMatch(joined!.body, /pp_sess_/, 'the link signs nobody in')
    const token = `${await signInByMail(server, address)}~${id}`
    const { body: me } = await call(token, 'GET', '/v1/me')
    assert.deepEqual([me.email, me.workspace_id], [address, id])
    assert.equal((await members(ann, id))[me.id], 'admin')
    assert.equal((await look({ accept: 'text/html' })).status, 401)
    assert.deepEqual((await call(ann, 'GET', `/v1/workspaces/${id}/invitations`)).body.invitations, [])
  })

  test('inviting again ends the earlier link; a revoked or 7 days old invitation does not work', async () => {
    const id = await create(ann, 'Again')
    const guest = await newPerson()
    const { body: first } = await invite(ann, id, guest.address)
    const old = await codeTo(guest.address)
    await invite(ann, id, guest.address)
    const fresh = await until(
      () => codeTo(guest.address),
      (code) => code !== old,
    )
    assert.equal((await accept(old)).status, 401)
    const { body: listed } = await call(ann, 'GET', `/v1/workspaces/${id}/invitations`)
    const [open] = listed.invitations
    assert.ok(listed.invitations.length === 1 && open.invitation_id !== first.invitation_id)
    const revoke = (who: Person) => call(who, 'DELETE', `/v1/workspaces/${id}/invitations/${open.invitation_id}`)
    assert.equal((await revoke(bob)).status, 404)
    assert.equal((await revoke(ann)).status, 200)
    assert.equal((await revoke(ann)).status, 404)
    assert.equal((await accept(fresh)).status, 401)
    const late = newAddress()
    await invite(ann, id, late)
    const code = await codeTo(late)
    await withDatabase((db) =>
      db.updateTable('invitations').set({ expires_at: Date.now() }).where('email', '=', late).execute(),
    )
    assert.equal((await accept(code)).status, 401)
    assert.deepEqual(Object.keys(await members(ann, id)), [ann.id])
  })

  test('an invitation is not a sign-in link, nor the other way round', async () => {
    const id = await create(ann, 'Links')
    await invite(ann, id, bob.address)
    const code = await codeTo(bob.address)
    assert.equal((await server.post('/login/callback', { token: code }, { token: null })).status, 401)
    assert.equal((await accept(code)).status, 200)
    assert.equal((await invite(ann, id, bob.address)).status, 409)
  })

  test('a member uses computers and reads; an admin manages; an owner appoints owners', async () => {
    const id = await create(ann, 'Roles')
    const [admin, member] = [await newPerson(), await newPerson()]
    await bringIn(ann, id, admin, 'admin')
    await bringIn(ann, id, member)
    const inside = within(member, id)
    assert.equal((await call(inside, 'POST', '/memory/write', { path: 'a', content: 'b' })).status, 200)
    for (const path of ['/v1/workspaces/current/members', '/users/me/api-keys'])
      assert.equal((await call(inside, 'GET', path)).status, 200, path)
    const guest = await newPerson()
    const forbidden = {
      'a member makes a key': () => call(inside, 'POST', '/users/me/api-keys', {}),
      'a member revokes a key': () => call(inside, 'DELETE', '/users/me/api-keys', { key_id: 'x' }),
      'a member renames': () => call(member, 'PATCH', `/v1/workspaces/${id}`, { name: 'Mine' }),
      'a member invites': () => invite(member, id, guest.address),
      'a member makes himself an admin': () => setRole(member, id, member.id, 'admin'),
      'a member removes an admin': () => remove(member, id, admin.id),
      'an admin makes himself an owner': () => setRole(admin, id, admin.id, 'owner'),
      'an admin makes an owner less': () => setRole(admin, id, ann.id, 'member'),
      'an admin removes an owner': () => remove(admin, id, ann.id),
      'an admin invites an owner': () => invite(admin, id, guest.address, 'owner'),
    }
    for (const [what, attempt] of Object.entries(forbidden)) {
      const { status, body } = await attempt()
      assert.deepEqual([status, body.code], [403, 'FORBIDDEN'], what)
    }
    assert.deepEqual(await members(member, id), { [ann.id]: 'owner', [admin.id]: 'admin', [member.id]: 'member' })
    assert.equal(
      (await call(admin, 'PATCH', `/v1/workspaces/${id}`, { name: 'By the admin' })).body.name,
      'By the admin',
    )
    assert.equal((await setRole(admin, id, member.id, 'admin')).body.role, 'admin')
    assert.equal((await call(inside, 'POST', '/users/me/api-keys', {})).status, 200)
    assert.equal((await setRole(ann, id, member.id, 'owner')).body.role, 'owner')
    assert.equal((await setRole(member, id, ann.id, 'member')).body.role, 'member')
  })

  test('the last owner can neither leave nor be demoted, nor can two at once', async () => {
    const id = await create(ann, 'Last')
    await bringIn(ann, id, await freshBob())
    for (const attempt of [() => remove(ann, id, 'me'), () => setRole(ann, id, 'me', 'admin')]) {
      const { status, body } = await attempt()
      assert.deepEqual([status, body.code], [409, 'CONFLICT'])
    }
    await setRole(ann, id, bob.id, 'owner')
    const both = await Promise.all([remove(ann, id, 'me'), remove(bob, id, 'me')])
    assert.deepEqual(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    )
    const { body: own } = await call(ann, 'GET', '/v1/workspaces')
    assert.equal((await remove(ann, own.current, 'me')).status, 409)
    assert.equal((await invite(ann, own.current, newAddress())).status, 409)
  })
  /** Makes room for another invitation. */
  const freshBob = async () => (bob = await newPerson())

  test('removing a member ends their keys, invitations and access', async () => {
    const id = await create(ann, 'Gone')
    const admin = await newPerson()
    await bringIn(ann, id, admin, 'admin')
    const { body: key } = await call(within(admin, id), 'POST', '/users/me/api-keys', { name: 'ci' })
    const { body: ofAnn } = await call(within(ann, id), 'POST', '/users/me/api-keys', { name: 'stays' })
    const backDoor = newAddress()
    await invite(admin, id, backDoor, 'admin')
    const code = await codeTo(backDoor)
    const socket = await SocketClient.open(server, { token: within(admin, id) })
    const closed = once(socket.socket, 'close')
    assert.equal((await call(key.api_key, 'POST', '/memory/usage', {})).status, 200)
    assert.equal((await remove(ann, id, admin.id)).status, 200)
    assert.equal((await call(key.api_key, 'POST', '/memory/usage', {})).status, 401)
    assert.equal((await call(within(admin, id), 'POST', '/memory/usage', {})).status, 404)
    assert.equal((await accept(code)).status, 401)
    assert.equal((await closed)[0], 1008)
    assert.equal((await call(ofAnn.api_key, 'POST', '/memory/usage', {})).status, 200)
    assert.equal((await call(admin, 'POST', '/memory/usage', {})).status, 200, 'their own workspace')
    const events = await withDatabase((db) =>
      db.selectFrom('events').select('type').where('account_id', '=', id).orderBy('at').execute(),
    )
    const types = new Set(events.map(({ type }) => type))
    for (const type of ['workspace.created', 'member.invited', 'member.joined', 'api_key.created', 'member.removed'])
      assert.ok(types.has(type), type)
  })

  test('a key may do no more than its creator: demoting the creator restricts the key', async () => {
    const id = await create(ann, 'Less')
    const admin = await newPerson()
    await bringIn(ann, id, admin, 'admin')
    const { body: key } = await call(within(admin, id), 'POST', '/users/me/api-keys', {})
    const guest = newAddress()
    await invite(admin, id, guest)
    assert.equal((await call(key.api_key, 'POST', '/users/me/api-keys', {})).status, 200)
    await setRole(ann, id, admin.id, 'member')
    assert.equal((await call(key.api_key, 'POST', '/users/me/api-keys', {})).status, 403)
    assert.equal((await call(key.api_key, 'POST', '/memory/usage', {})).status, 200)
    assert.equal((await accept(await codeTo(guest))).status, 401)
  })

  test('a session token is refreshed in the workspace that it is used in', async () => {
    await withDatabase((db) =>
      db
        .updateTable('tokens')
        .set({ expires_at: Date.now() + 3_500_000 })
        .where('user_id', '=', ann.id)
        .where('kind', '=', 'session')
        .execute(),
    )
    const { status, body } = await server.post('/auth/refresh', { token: within(ann, workspace) }, { token: null })
    assert.equal(status, 200)
    assert.equal((await call(body.token, 'GET', '/v1/me')).body.workspace_id, workspace)
  })

  test('a name cannot be an address, HTML or endless', async () => {
    for (const name of [
      '',
      ' ',
      '<b>x</b>',
      'https://evil.example.com',
      'a\nb',
      'x'.repeat(limits.workspaceNameLength + 1),
    ])
      assert.equal((await call(ann, 'POST', '/v1/workspaces', { name })).status, 400, name)
    assert.equal((await call(ann, 'POST', '/v1/workspaces', { name: "Zoë's Labor (2)" })).status, 200)
  })

  test('are limited per user', async () => {
    const many = await newPerson()
    for (let count = 0; count < limits.workspacesPerUser; count++) assert.ok(await create(many))
    const { status, body } = await call(many, 'POST', '/v1/workspaces', { name: 'One more' })
    assert.deepEqual([status, body.limit], [429, limits.workspacesPerUser])
  })

  test('a user can invite an address five times a day, and others can still invite it', async () => {
    const victim = newAddress()
    const [one, other] = [await newPerson(), await newPerson()]
    for (let count = 0; count < limits.invitationsPerMailboxDay; count++)
      assert.equal((await invite(one, await create(one, `W${count}`), victim)).status, 200)
    const { status, body } = await invite(one, await create(one), victim)
    assert.deepEqual([status, body.code, body.limit], [429, 'RATE_LIMITED', limits.invitationsPerMailboxDay])
    assert.equal((await invite(other, await create(other), victim)).status, 200)
    await until(
      () => messagesTo(victim).length,
      (count) => count === limits.invitationsPerMailboxDay + 1,
    )
  })

  test('the first account, which has no user, can invite users too', async () => {
    const guest = await newPerson()
    const { body: own } = await server.call('GET', '/v1/workspaces')
    assert.deepEqual([own.workspaces.length, own.workspaces[0].role], [1, 'owner'])
    assert.equal((await server.post('/v1/workspaces', { name: 'Nobody' })).status, 403)
    const invited = await server.post('/v1/workspaces/current/invitations', { email: guest.address, role: 'owner' })
    assert.equal(invited.status, 200)
    const { body } = await accept(await codeTo(guest.address))
    assert.equal(body.workspace_id, own.current)
    assert.equal((await server.call('DELETE', `/v1/workspaces/current/members/${guest.id}`)).status, 200)
  })
})

test('with sign-up closed an invitation admits no unknown user, and reveals nobody who is known', async (t) => {
  const server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
  t.after(() => server.stop())
  const ann = await signInByMail(server)
  const { body } = await server.post('/v1/workspaces', { name: 'Closed' }, { token: ann })
  const path = `/v1/workspaces/${body.workspace_id}/invitations`
  const early = newAddress()
  await server.post(path, { email: early }, { token: ann })
  const [message] = await until(
    () => messagesTo(early),
    (found) => found.length > 0,
  )
  const known = newAddress()
  await signInByMail(server, known)
  await server.stop()
  const closed = await TestApp.start({ env: { CARREL_SIGN_UP: 'closed' } })
  try {
    const unknown = newAddress()
    const token = new URL(linkIn(message!)).searchParams.get('token')!
    assert.equal((await closed.post('/invitation', { token }, { token: null })).status, 403)
    for (const email of [unknown, known]) assert.equal((await closed.post(path, { email }, { token: ann })).status, 200)
    await until(
      () => messagesTo(known).filter((text) => text.includes('/invitation?')),
      (found) => found.length === 1,
    )
    assert.deepEqual(messagesTo(unknown), [])
  } finally {
    await closed.stop()
  }
})
