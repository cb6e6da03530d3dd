import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Carrel } from '../../sdk/index.ts'
import { limits } from '../../src/config/limits.ts'
import { enterSession, whileEntered } from '../../src/engine/computers/access-sessions/enter-session.ts'
import { pruneShares } from '../../src/engine/computers/shares/prune-shares.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { signInByMail } from '../identity/outbox.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { PageVisitor } from '../support/computer-page.ts'
import { TestApp } from '../support/test-app.ts'

const env = {
  CARREL_MEMORY_OVERCOMMIT: '100',
  CARREL_DISK_OVERCOMMIT: '100',
  CARREL_SIGN_INS_PER_MINUTE: '0',
}
const dayMs = 24 * 60 * 60 * 1000
const refused = { code: 'unauthenticated' }

describe('the shares of a computer', { timeout: 120_000 }, () => {
  let server: TestApp
  let computers: AgentComputers
  let computerId: string
  before(async () => {
    server = await TestApp.start({ env })
    computers = new AgentComputers(server)
    computerId = (await computers.create({ handle: 'shown', display_name: 'The <shown> one' })).id
  })
  after(() => server.stop())

  const create = async (body: object = {}, id = computerId, by = computers) => {
    const answer = await by.call('POST', `/computers/${id}/shares/links`, body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body.share
  }
  const tokenOf = (share: { share_url: string }) => share.share_url.split('/').at(-1)!
  const list = async (id = computerId) => (await computers.call('GET', `/computers/${id}/shares`)).body.shares
  const remove = (share: { id: string }, id = computerId) =>
    computers.call('DELETE', `/computers/${id}/shares/links/${share.id}`)
  /** As somebody without an account. */
  const stranger = (method: string, path: string, body?: unknown, headers = {}) =>
    server.call(method, path, body, { token: null, headers })
  const resolve = (token: string) => stranger('GET', `/v1/shares/${token}`)
  const redeem = (token: string, body?: object) => stranger('POST', `/v1/shares/${token}/access-sessions`, body)
  const opened = async (share: { share_url: string }, body?: object) => {
    const answer = await redeem(tokenOf(share), body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body.session
  }
  /** Resolves with the reason for which what is open in a session ends. */
  const whenEnded = async ({ kind, connect_token }: { kind: 'browser' | 'vnc'; connect_token: string }) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    whileEntered(server.engine, await enterSession(server.engine, kind, connect_token), resolve)
    return { ended: promise }
  }
  const assertDead = async (share: { share_url: string }) => {
    for (const answer of [await resolve(tokenOf(share)), await redeem(tokenOf(share))])
      assert.deepEqual([answer.status, withoutId(answer.body)], dead)
  }
  const withoutId = ({ requestId, ...body }: Record<string, unknown>) => {
    assert.ok(requestId)
    return body
  }
  /** Creates a workspace that can pay. */
  const newTeam = async (token: string): Promise<string> => {
    const { body } = await server.call('POST', '/v1/workspaces', { name: 'Team' }, { token })
    const { prices } = server.engine
    const quote = quoteFor(prices, { tier: 'starter' })
    await topUp(server.db, prices, { accountId: body.workspace_id, key: body.workspace_id, method: 'test', quote })
    return body.workspace_id
  }
  let dead: [number, Record<string, unknown>]
  before(async () => {
    const { status, body } = await resolve('none')
    assert.equal(status, 404)
    dead = [status, withoutId(body)]
  })

  test('have the fields of the document, and show their links again', async () => {
    const expires_at = new Date(Date.now() + dayMs).toISOString()
    const share = await create({ allow_browser: true, allow_vnc: true, expires_at })
    const { id, created_at, share_url, ...rest } = share
    assert.match(share_url, new RegExp(`^${server.url}/share/pp_share_[\\w-]{43}$`))
    assert.ok(Date.parse(created_at) <= Date.now())
    assert.deepEqual(rest, {
      computer_id: computerId,
      kind: 'link',
      allow_browser: true,
      allow_vnc: true,
      expires_at,
      uses: 0,
      last_used_at: null,
      revoked_at: null,
    })
    const later = await create()
    assert.deepEqual((await list()).slice(0, 2), [later, share])
    const stored = await server.db.selectFrom('shares').selectAll().where('id', '=', id).execute()
    assert.ok(!JSON.stringify(stored).includes(tokenOf(share).slice(9)))
    await server.db
      .updateTable('shares')
      .set({ sealed_token: stored[0]!.sealed_token })
      .where('id', '=', later.id)
      .execute()
    assert.deepEqual((await list())[0], { ...later, share_url: null }, 'a row does not show the link of another one')
    await opened(later)
  })

  for (const [body, allow_browser, allow_vnc] of [
    [{}, true, false],
    [{ allow_vnc: true }, false, true],
    [{ allow_browser: true, allow_vnc: true }, true, true],
    [{ allow_browser: false, allow_vnc: true, expires_at: null }, false, true],
  ] as const)
    test(`open what ${JSON.stringify(body)} asks for`, async () => {
      const share = await create(body)
      assert.deepEqual([share.allow_browser, share.allow_vnc], [allow_browser, allow_vnc])
    })

  for (const [what, body, field] of [
    ['neither right', { allow_browser: false }, 'allow_browser'],
    ['an end in the past', { expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    ['an end too far away', { expires_at: new Date(Date.now() + limits.shareMs + dayMs).toISOString() }, 'expires_at'],
    ['an end that is no time', { expires_at: 'tomorrow ☃' }, 'expires_at'],
    ['an end on a day that does not exist', { expires_at: '2030-02-31T25:00:00Z' }, 'expires_at'],
    ['an end without an offset', { expires_at: '2030-01-01T00:00:00' }, 'expires_at'],
    ['a right that is no boolean', { allow_vnc: 'yes' }, 'allow_vnc'],
    ['a misspelt end', { expire_at: '2030-01-01T00:00:00Z' }, undefined],
  ] as const)
    test(`are refused with ${what}`, async () => {
      const count = (await list()).length
      const { status, body: answer } = await computers.call('POST', `/computers/${computerId}/shares/links`, body)
      assert.deepEqual([status, answer.error.code], [400, 'invalid_request'], JSON.stringify(answer))
      if (field !== undefined) assert.match(JSON.stringify(answer), new RegExp(field))
      assert.equal((await list()).length, count)
    })

  test('are resolved by strangers, without counting', async () => {
    const share = await create({ allow_vnc: true })
    const { status, headers, body } = await resolve(tokenOf(share))
    const { id, computer_id, allow_browser, allow_vnc, share_url, expires_at, created_at } = share
    assert.equal(status, 200)
    assert.deepEqual([headers.get('cache-control'), headers.get('referrer-policy')], ['no-store', 'no-referrer'])
    assert.deepEqual(body.share, {
      ...{ id, computer_id, allow_browser, allow_vnc, share_url, expires_at, created_at },
      computer_handle: 'shown',
      computer_display_name: 'The <shown> one',
    })
    assert.deepEqual((await list())[0], share)
  })

  test('open the page of the computer in the name of its workspace, and count', async () => {
    const share = await create({ allow_browser: true, allow_vnc: true })
    const session = await opened(share)
    assert.deepEqual([session.kind, session.state, session.computer_id], ['browser', 'active', computerId])
    const { origin, pathname, search } = new URL(session.access_url)
    const visitor = new PageVisitor(server, origin)
    const { headers } = await visitor.send('GET', `${pathname}${search}`)
    visitor.cookie = String(headers['set-cookie']).split(';')[0]!
    assert.equal((await visitor.send('GET', '/api/computer')).body.computer.id, computerId)
    const entered = await enterSession(server.engine, 'browser', session.connect_token)
    const { caller, computer } = entered
    assert.deepEqual(entered.share, { id: share.id, viewOnly: false })
    assert.equal(computer.right, 'run')
    const { body: me } = await computers.call('GET', '/me')
    assert.deepEqual(
      [caller.accountId, caller.userId, caller.role, caller.scopes],
      [me.id, null, 'member', ['compute']],
    )
    assert.equal((await server.call('GET', '/v1/me', undefined, { token: session.connect_token })).status, 401)
    await opened(share, { kind: 'vnc', ttl_seconds: 60 })
    const [counted] = await list()
    assert.deepEqual([counted.id, counted.uses], [share.id, 2])
    assert.ok(Date.parse(counted.last_used_at) >= Date.parse(session.created_at))
    const events = await server.db
      .selectFrom('events')
      .select(['type', 'actor'])
      .where('data', 'like', `%${share.id}%`)
      .orderBy('at')
      .orderBy('id')
      .execute()
    const actors = Object.groupBy(events, ({ type }) => type)
    assert.equal(actors['share.created']?.length, 1)
    assert.deepEqual(
      actors['share.opened']?.map(({ actor }) => actor),
      [`share:${share.id}`, `share:${share.id}`],
    )
    for (const secret of [tokenOf(share), session.connect_token]) assert.ok(!server.log().includes(secret))
  })

  test('of the desktop alone are for looking, and open nothing else', async () => {
    const share = await create({ allow_vnc: true })
    const session = await opened(share, { ttl_seconds: 60 })
    assert.equal(session.kind, 'vnc')
    const entered = await enterSession(server.engine, 'vnc', session.connect_token)
    assert.deepEqual(entered.share, { id: share.id, viewOnly: true })
    await assert.rejects(enterSession(server.engine, 'browser', session.connect_token), refused)
    for (const kind of ['browser', 'ssh', 'exec']) {
      const { status, body } = await redeem(tokenOf(share), { kind })
      assert.deepEqual([status, body.error.code], [403, 'forbidden'], kind)
    }
    assert.equal((await redeem(tokenOf(share), { kind: 'telnet' })).status, 400)
    assert.equal((await list())[0].uses, 1)
  })

  test('are created, listed and deleted by the SDK', async () => {
    const sdk = new Carrel({ baseUrl: server.url, token: server.token }).computers.shares
    const expiresAt = new Date(Date.now() + dayMs)
    const share = await sdk.create('shown', { allowVnc: true, expiresAt })
    assert.deepEqual([share.allow_browser, share.allow_vnc, share.expires_at], [false, true, expiresAt.toISOString()])
    assert.deepEqual((await sdk.list('shown'))[0], share)
    await sdk.delete('shown', share.id)
    assert.notEqual((await sdk.list('shown'))[0]?.id, share.id)
  })

  test('end their sessions when they expire', async () => {
    const share = await create({ expires_at: new Date(Date.now() + 5000).toISOString() })
    const session = await opened(share)
    assert.equal(session.expires_at, share.expires_at)
    await server.db.updateTable('shares').set({ expires_at: Date.now() }).where('id', '=', share.id).execute()
    await assert.rejects(enterSession(server.engine, 'browser', session.connect_token), refused)
    await assertDead(share)
    assert.ok(!(await list()).some(({ id }: { id: string }) => id === share.id))
  })

  test('end at once what is open by them when they are deleted, and nothing else', async () => {
    const [share, other] = [await create(), await create()]
    const [session, stays] = [await opened(share), await opened(other)]
    const { ended } = await whenEnded(session)
    for (let time = 0; time < 2; time++) assert.equal((await remove(share)).status, 204)
    assert.match(await ended, /the share was revoked/)
    await assert.rejects(enterSession(server.engine, 'browser', session.connect_token), refused)
    await enterSession(server.engine, 'browser', stays.connect_token)
    await assertDead(share)
    assert.ok(!(await list()).some(({ id }: { id: string }) => id === share.id))
    const before = Date.now() - limits.endedShareMs - 1
    await server.db.updateTable('shares').set({ revoked_at: before }).where('id', '=', share.id).execute()
    await pruneShares(server.engine)
    assert.equal((await remove(share)).status, 404)
    await resolve(tokenOf(other)).then(({ status }) => assert.equal(status, 200))
  })

  test('answer a stranger in the same way, whatever the token', async () => {
    const tokens = [
      'none',
      `pp_share_${'a'.repeat(43)}`,
      'x'.repeat(4000),
      encodeURIComponent('☃'.repeat(100)),
      '%00',
      '..%2F',
    ]
    for (const token of tokens) await assertDead({ share_url: `/${token}` })
  })

  test('end with their computer, and with its transfer', async () => {
    const token = await signInByMail(server)
    const own = new AgentComputers(server, token)
    const teamId = await newTeam(token)
    const given = await own.create({ handle: 'given' })
    const share = await create({}, given.id, own)
    const session = await opened(share)
    const { ended } = await whenEnded(session)
    const target = { target_org_id: teamId }
    assert.equal((await own.call('POST', '/computers/given/actions/transfer', target)).status, 200)
    assert.match(await ended, /another workspace/)
    await assertDead(share)
    const others = new AgentComputers(server, `${token}~${teamId}`)
    const deleted = await create({}, given.id, others)
    await others.done('DELETE', `/computers/${given.id}`)
    await assertDead(deleted)
    assert.deepEqual(
      await server.db.selectFrom('shares').select('id').where('computer_id', '=', given.id).execute(),
      [],
    )
  })

  test('outlive the key that created them, whose limits hold, and end when its user leaves the workspace', async () => {
    const token = await signInByMail(server)
    const { body: key } = await server.post('/users/me/api-keys', { name: 'creator' }, { token })
    const own = new AgentComputers(server, key.api_key)
    const { id } = await own.create()
    const share = await create({}, id, own)
    await server.call('DELETE', '/users/me/api-keys', { key_id: key.key_id }, { token })
    const session = await opened(share)
    const { caller } = await enterSession(server.engine, 'browser', session.connect_token)
    assert.equal(caller.tokenId, key.key_id)
    const { ended } = await whenEnded(session)
    await server.engine.liveConnections.endLapsed()
    const { body: me } = await server.call('GET', '/users/me', undefined, { token })
    await server.db.deleteFrom('memberships').where('user_id', '=', me.user_id).execute()
    await server.engine.liveConnections.endLapsed()
    assert.match(await ended, /no longer valid/)
    await assertDead(share)
  })

  test('of a member who is removed end for good, also when another server removes the member', async (t) => {
    const elsewhere = await TestApp.start({ env, node: 'second' })
    t.after(() => elsewhere.stop())
    const [owner, member] = [await signInByMail(server), await signInByMail(server)]
    const teamId = await newTeam(owner)
    const { body: me } = await server.call('GET', '/users/me', undefined, { token: member })
    const membership = { account_id: teamId, user_id: me.user_id, role: 'member', created_at: 1 } as const
    const join = () => server.db.insertInto('memberships').values(membership).execute()
    await join()
    const own = new AgentComputers(server, `${member}~${teamId}`)
    const { id } = await own.create()
    const share = await create({}, id, own)
    const session = await opened(share)
    const { ended } = await whenEnded(session)

    for (const [method, path, token] of [
      ['GET', `/v1/shares/${tokenOf(share)}`, null],
      ['DELETE', `/v1/computers/${id}/shares/links/${share.id}`, `${owner}~${teamId}`],
    ] as const) {
      const { status, body } = await elsewhere.call(method, path, undefined, { token })
      assert.deepEqual([status, body.error.code, body.address], [421, 'other_node', server.url], path)
    }

    const path = `/v1/workspaces/${teamId}/members/${me.user_id}`
    const removed = await elsewhere.call('DELETE', path, undefined, { token: owner })
    assert.equal(removed.status, 200, JSON.stringify(removed.body))
    await server.engine.liveConnections.endLapsed()
    assert.match(await ended, /no longer valid/)
    await join()
    await assert.rejects(enterSession(server.engine, 'browser', session.connect_token), refused)
    await assertDead(share)
  })

  test('have limits, and visitors do not take the room of members', async () => {
    const { id } = await computers.create()
    const share = await create({}, id)
    await opened(share)
    const row = await server.db
      .selectFrom('access_sessions')
      .selectAll()
      .where('share_id', '=', share.id)
      .executeTakeFirstOrThrow()
    const more = Array.from({ length: limits.accessSessionsPerShare - 1 }, (_, index) => `visitor${index}`)
    await server.db
      .insertInto('access_sessions')
      .values(more.map((name) => ({ ...row, id: name, hash: name })))
      .execute()
    const full = await redeem(tokenOf(share))
    assert.deepEqual([full.status, full.body.error.code], [429, 'limit_reached'])
    assert.equal((await list(id))[0].uses, 1)
    await opened(await create({}, id))
    assert.equal((await computers.call('POST', `/computers/${id}/access-sessions`, { kind: 'exec' })).status, 201)
    const kept = await server.db.selectFrom('shares').selectAll().where('id', '=', share.id).executeTakeFirstOrThrow()
    const insert = (prefix: string, count: number, revoked_at: number | null) => {
      const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`)
      return server.db
        .insertInto('shares')
        .values(names.map((name) => ({ ...kept, id: name, hash: name, revoked_at })))
        .execute()
    }
    await insert('over', limits.endedSharesPerComputer + 3, 1)
    await create({}, id)
    await insert('open', limits.sharesPerComputer - 3, null)
    const { status, body } = await computers.call('POST', `/computers/${id}/shares/links`, {})
    assert.deepEqual([status, body.error.code, body.limit], [429, 'limit_reached', limits.sharesPerComputer])
    const count = (await server.db.selectFrom('shares').select('id').where('computer_id', '=', id).execute()).length
    assert.equal(count, limits.sharesPerComputer + limits.endedSharesPerComputer)
  })

  test('open no computer that does not run, which their page says', async () => {
    const { id } = await computers.create()
    const share = await create({}, id)
    await computers.done('POST', `/computers/${id}/actions/stop`)
    const { status, body } = await redeem(tokenOf(share))
    assert.deepEqual([status, body.error.code], [409, 'conflict'])
    const page = await stranger('GET', `/share/${tokenOf(share)}`)
    assert.equal(page.status, 200)
    assert.match(page.body, /Ask its owner to start it/)
    assert.doesNotMatch(page.body, /<button/)
    const refusedPage = await stranger('POST', `/share/${tokenOf(share)}`)
    assert.equal(refusedPage.status, 409)
    assert.match(refusedPage.body, /does not open now/)
    assert.equal((await list(id))[0].uses, 0)
  })

  test('have a page that says what they open, and whose button alone opens it', async () => {
    const share = await create({ allow_browser: true, allow_vnc: true })
    const path = new URL(share.share_url).pathname
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await stranger(method, path)
      assert.equal(status, 200)
      for (const [name, pattern] of Object.entries({
        'cache-control': /^no-store$/,
        'referrer-policy': /^no-referrer$/,
        'x-robots-tag': /^noindex$/,
        'content-security-policy': /form-action 'self' http:\/\/shown\.[\w.:-]+;/,
      }))
        assert.match(headers.get(name) ?? '', pattern)
      if (method === 'GET') assert.match(body, /The &#60;shown&#62; one/)
    }
    assert.equal((await list())[0].uses, 0)
    for (const [form, target] of [
      ['kind=vnc', '/desktop'],
      ['', '/'],
    ] as const) {
      const answer = await fetch(`${server.url}${path}`, {
        method: 'POST',
        body: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' },
        redirect: 'manual',
      })
      assert.equal(answer.status, 303)
      const location = new URL(answer.headers.get('location')!)
      assert.equal(location.pathname, target)
      assert.match(location.search, /^\?access_token=pp_access_/)
    }
    assert.equal((await list())[0].uses, 2)
    for (const method of ['GET', 'POST']) {
      const { status, body } = await stranger(method, '/share/pp_share_none')
      assert.equal(status, 404)
      assert.match(body, /This link opens nothing/)
    }
  })
})

test('guesses at the links of shares are limited by network, and valid links are not counted', async (t) => {
  const server = await TestApp.start({ env: { ...env, CARREL_SIGN_INS_PER_MINUTE: '3' } })
  t.after(() => server.stop())
  const computers = new AgentComputers(server)
  const { id } = await computers.create()
  const { body } = await computers.call('POST', `/computers/${id}/shares/links`, {})
  const token = body.share.share_url.split('/').at(-1)
  const get = async (path: string) => (await server.call('GET', path, undefined, { token: null })).status
  for (let time = 0; time < 5; time++) assert.equal(await get(`/v1/shares/${token}`), 200)
  for (const path of ['/v1/shares/a', '/share/b', '/v1/shares/c']) assert.equal(await get(path), 404)
  for (const path of ['/v1/shares/d', `/share/${token}`]) assert.equal(await get(path), 429)
})

test('one network opens computers by shares so often, and no more', async (t) => {
  const server = await TestApp.start({ env: { ...env, CARREL_SIGN_INS_PER_MINUTE: '1000' } })
  t.after(() => server.stop())
  const enter = (path: string) => server.call('POST', path, undefined, { token: null })
  for (let time = 0; time < limits.shareEntriesPerMinute; time++)
    assert.equal((await enter('/v1/shares/a/access-sessions')).status, 404)
  for (const path of ['/v1/shares/a/access-sessions', '/share/a']) {
    const { status, headers } = await enter(path)
    assert.deepEqual([status, headers.get('x-ratelimit-limit')], [429, String(limits.shareEntriesPerMinute)])
  }
  assert.equal((await server.call('GET', '/v1/shares/a', undefined, { token: null })).status, 404)
})
