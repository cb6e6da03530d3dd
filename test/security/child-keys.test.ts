import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { messagesTo, newAddress, signInByMail } from '../identity/outbox.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'

describe('an API key is not a user, and its children end with it', { timeout: 300_000 }, () => {
  let server: TestApp
  let founder: string
  let founderId: string
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    founder = await signInByMail(server)
    founderId = (await call(founder, 'GET', '/users/me')).body.user_id
  })
  after(() => server.stop())

  const call = (token: string, method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { token })
  const newTeam = async (): Promise<string> =>
    (await call(founder, 'POST', '/v1/workspaces', { name: 'Team' })).body.workspace_id
  const within = (id: string) => `${founder}~${id}`
  const newKey = async (token: string, body: object = {}) => {
    const { status, body: key } = await call(token, 'POST', '/users/me/api-keys', body)
    assert.equal(status, 200, JSON.stringify(key))
    return key as { api_key: string; key_id: string; expires_at: string | null; scopes: string[] | null }
  }
  const limit = (token: string, keyId: string, cents: number | null) =>
    call(token, 'PATCH', '/v1/billing/preferences', { keys: [{ key_id: keyId, daily_limit_cents: cents }] })
  const works = async (key: string) => (await call(key, 'POST', '/memory/usage', {})).status

  test('a key with a limit of a cent admits no user, lifts no limit, removes no user and revokes no other key', async () => {
    const id = await newTeam()
    const key = await newKey(within(id))
    const other = await newKey(within(id))
    assert.equal((await limit(within(id), key.key_id, 1)).status, 200)
    const accomplice = newAddress()
    const attempts: [method: string, path: string, body?: object][] = [
      ['POST', `/v1/workspaces/${id}/invitations`, { email: accomplice, role: 'owner' }],
      ['POST', '/v1/workspaces/current/invitations', { email: accomplice }],
      ['PATCH', `/v1/workspaces/${id}/members/${founderId}`, { role: 'member' }],
      ['DELETE', `/v1/workspaces/${id}/members/${founderId}`],
      ['DELETE', `/v1/workspaces/${id}/members/me`],
      ['PATCH', `/v1/workspaces/${id}`, { name: 'Mine' }],
      ['DELETE', `/v1/workspaces/${id}`],
      ['POST', `/v1/workspaces/${id}/cancel-deletion`, {}],
      ['POST', '/v1/workspaces', { name: 'Other' }],
      ['POST', '/users/me/api-keys', {}],
      ['PATCH', '/v1/billing/preferences', { keys: [{ key_id: key.key_id, daily_limit_cents: null }] }],
      ['PATCH', '/v1/billing/preferences', { keys: [{ key_id: key.key_id, daily_limit_cents: 2 }] }],
      ['PATCH', '/v1/billing/preferences', { daily_limit_cents: 0, monthly_limit_cents: 0 }],
      ['PATCH', '/v1/billing/preferences', { keys: [{ key_id: other.key_id, daily_limit_cents: 0 }] }],
      ['DELETE', '/users/me/api-keys', { key_id: other.key_id }],
      ['GET', '/users/me/sessions'],
      ['DELETE', '/users/me/sessions'],
    ]
    for (const [method, path, body] of attempts) {
      const { status } = await call(key.api_key, method, path, body)
      assert.equal(status, 403, `${method} ${path}`)
    }
    assert.deepEqual(messagesTo(accomplice), [])
    assert.equal(await works(other.api_key), 200)
    assert.equal((await call(within(id), 'GET', '/v1/billing/preferences')).body.daily_limit_cents, null)
    const { body } = await call(founder, 'GET', `/v1/workspaces/${id}/members`)
    assert.deepEqual(
      body.members.map(({ user_id, role }: { user_id: string; role: string }) => [user_id, role]),
      [[founderId, 'owner']],
    )
  })

  test('a key of any scope cannot revoke an invitation, and one of the own workspace cannot delete the user', async () => {
    const id = await newTeam()
    const { body: invitation } = await call(founder, 'POST', `/v1/workspaces/${id}/invitations`, {
      email: newAddress(),
    })
    for (const scopes of [undefined, ['account'], ['account', 'compute']]) {
      const shared = await newKey(within(id), scopes ? { scopes } : {})
      const path = `/v1/workspaces/${id}/invitations/${invitation.invitation_id}`
      assert.equal((await call(shared.api_key, 'DELETE', path)).status, 403)
      const own = await newKey(founder, scopes ? { scopes } : {})
      assert.equal((await call(own.api_key, 'DELETE', '/api/v1/account/delete')).status, 403)
    }
  })

  test('a key of a shared workspace can neither rename its user nor cancel the deletion of the account', async () => {
    const ann = await signInByMail(server)
    const { body: team } = await call(ann, 'POST', '/v1/workspaces', { name: 'Ours' })
    const key = await newKey(`${ann}~${team.workspace_id}`)
    const { body: before } = await call(ann, 'GET', '/api/v1/settings')
    for (const change of [{ displayName: 'Somebody else' }, { theme: 'dark' }])
      assert.equal((await call(key.api_key, 'PATCH', '/api/v1/settings', change)).status, 403)
    assert.deepEqual((await call(ann, 'GET', '/api/v1/settings')).body, before)
    const { body: leaving } = await call(ann, 'DELETE', '/api/v1/account/delete')
    assert.equal((await call(key.api_key, 'POST', '/api/v1/account/cancel-deletion', {})).status, 403)
    assert.equal((await call(ann, 'GET', '/api/v1/session')).body.deleteAt, leaving.deleteAt)
    const own = await newKey(ann)
    assert.equal((await call(own.api_key, 'PATCH', '/api/v1/settings', { theme: 'dark' })).status, 200)
  })

  test('revoking a key at once revokes its descendants, and closes their connections', async () => {
    const id = await newTeam()
    const parent = await newKey(within(id))
    const child = await newKey(parent.api_key)
    const grandchild = await newKey(child.api_key, { scopes: ['compute'] })
    const sibling = await newKey(within(id))
    const sockets = await Promise.all(
      [child, grandchild].map(({ api_key: token }) => SocketClient.open(server, { token })),
    )
    const closed = sockets.map(async ({ socket }) => ((await once(socket, 'close')) as [number])[0])
    const { status } = await call(within(id), 'DELETE', '/users/me/api-keys', { key_id: parent.key_id })
    assert.equal(status, 200)
    for (const { api_key: key } of [parent, child, grandchild]) assert.equal(await works(key), 401)
    assert.deepEqual(await Promise.all(closed), [1008, 1008])
    assert.equal(await works(sibling.api_key), 200)
    const { body } = await call(within(id), 'GET', '/users/me/api-keys')
    assert.deepEqual(
      body.api_keys.map(({ key_id: keyId }: { key_id: string }) => keyId),
      [sibling.key_id],
    )
    // Revoking a child does not revoke its parent.
    const next = await newKey(sibling.api_key)
    assert.equal((await call(sibling.api_key, 'DELETE', '/users/me/api-keys', { key_id: next.key_id })).status, 200)
    assert.deepEqual([await works(next.api_key), await works(sibling.api_key)], [401, 200])
    // A child cannot revoke it, but it can revoke itself.
    const last = await newKey(sibling.api_key)
    const revoke = (by: string) => call(by, 'DELETE', '/users/me/api-keys', { key_id: sibling.key_id })
    assert.deepEqual([(await revoke(last.api_key)).status, (await revoke(sibling.api_key)).status], [403, 200])
    assert.deepEqual([await works(last.api_key), await works(sibling.api_key)], [401, 401])
  })

  test('no key that it creates while it is being revoked survives', async () => {
    const id = await newTeam()
    const parent = await newKey(within(id))
    const making = Array.from({ length: 20 }, () => call(parent.api_key, 'POST', '/users/me/api-keys', {}))
    const revoked = call(within(id), 'DELETE', '/users/me/api-keys', { key_id: parent.key_id })
    const made = await Promise.all(making)
    assert.equal((await revoked).status, 200)
    for (const { status, body } of made) if (status === 200) assert.equal(await works(body.api_key), 401)
    assert.deepEqual((await call(within(id), 'GET', '/users/me/api-keys')).body.api_keys, [])
  })

  test('a child expires no later than its parent, whatever is requested', async () => {
    const parent = await newKey(founder, { expires_in: 600 })
    for (const body of [{}, { expires_in: 3600 }])
      assert.equal((await newKey(parent.api_key, body)).expires_at, parent.expires_at)
    const sooner = await newKey(parent.api_key, { expires_in: 60 })
    assert.ok(Date.parse(sooner.expires_at!) < Date.parse(parent.expires_at!))
    const grandchild = await newKey(sooner.api_key)
    assert.equal(grandchild.expires_at, sooner.expires_at)
  })

  test('a child has no more scopes than its parent, and no other workspace', async () => {
    const id = await newTeam()
    const parent = await newKey(within(id), { scopes: ['account'] })
    assert.deepEqual((await newKey(parent.api_key)).scopes, ['account'])
    assert.equal((await call(parent.api_key, 'POST', '/users/me/api-keys', { scopes: ['compute'] })).status, 403)
    const child = await newKey(parent.api_key)
    assert.equal((await call(child.api_key, 'GET', '/v1/me')).body.workspace_id, id)
    assert.equal((await call(`${child.api_key}~${founderId}`, 'GET', '/v1/me')).status, 404)
  })

  test('a limit cannot be evaded: a limited key creates no keys, and a key with children gets no limit', async () => {
    const id = await newTeam()
    const parent = await newKey(within(id))
    const child = await newKey(parent.api_key)
    const { status, body } = await limit(within(id), parent.key_id, 100)
    assert.deepEqual([status, body.code, body.keys], [409, 'CONFLICT', [child.key_id]])
    assert.equal((await limit(within(id), child.key_id, 100)).status, 200)
    assert.equal((await call(child.api_key, 'POST', '/users/me/api-keys', {})).status, 403)
    await call(within(id), 'DELETE', '/users/me/api-keys', { key_id: child.key_id })
    assert.equal((await limit(within(id), parent.key_id, 100)).status, 200)
    assert.equal((await call(parent.api_key, 'POST', '/users/me/api-keys', {})).status, 403)
    const both = await newKey(within(id))
    const [limited, made] = await Promise.all([
      limit(within(id), both.key_id, 100),
      call(both.api_key, 'POST', '/users/me/api-keys', {}),
    ])
    assert.ok((limited.status === 200) !== (made.status === 200), `${limited.status} ${made.status}`)
  })

  test('a user who is admitted again does not get their earlier keys back', async () => {
    const id = await newTeam()
    const key = await newKey(within(id))
    await withDatabase((db) => db.deleteFrom('memberships').where('account_id', '=', id).execute())
    assert.equal(await works(key.api_key), 401)
    assert.equal((await call(key.api_key, 'POST', '/users/me/api-keys', {})).status, 401)
  })
})
