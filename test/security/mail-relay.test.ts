import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { audience, Issuer } from '../identity/issuer.ts'
import { askForLink, linkIn, messagesTo, newAddress, signInByMail } from '../identity/outbox.ts'
import { signInByWallet } from '../identity/wallet.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'

/** Text that a user would mistake for the server's words. */
const phish = 'Your card was declined.\n\nPay at https://evil.example.com/pay or call +43 1 2345678'
/** Names of workspaces that a mail program turns into links, or that contain phone numbers. */
const addresses = [
  'evil.example.com',
  'a.b.evil.co',
  'evil-.com',
  'evil_.com',
  'Pay at secure-banco\u0301.com',
  'login.\u092d\u093e\u0930\u0924',
  'Pay at www evil com',
  'Call 0043 1 2345678',
]
/** Characters that break lines, are invisible, or change the direction of text. */
const hostileSigns = ['\n', '\r', '\t', '\u0000', '\u0085', '\u2028', '\u2029', '\u202e', '\u2066', '\u200b', '\ufeff']

describe('no client can send mail of their own through the server', { timeout: 300_000 }, () => {
  let issuer: Issuer
  let server: TestApp
  before(async () => {
    issuer = await Issuer.start()
    server = await TestApp.start({
      env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_OIDC_ISSUERS: `${issuer.url}=${audience}` },
    })
  })
  after(async () => {
    await server.stop()
    await issuer.stop()
  })

  const call = (token: string, method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { token })
  const create = async (token: string, name = 'Team'): Promise<string> => {
    const { status, body } = await call(token, 'POST', '/v1/workspaces', { name })
    assert.equal(status, 200, JSON.stringify(body))
    return body.workspace_id
  }
  const invite = (token: string, id: string, email: string) =>
    call(token, 'POST', `/v1/workspaces/${id}/invitations`, { email })
  /** Returns the token of a user who signed up more than a day ago. */
  const signInEarlier = async (): Promise<string> => {
    const token = await signInByMail(server)
    const { user_id: userId } = (await call(token, 'GET', '/users/me')).body
    await withDatabase((db) =>
      db
        .updateTable('users')
        .set({ created_at: Date.now() - limits.mailDayMs })
        .where('id', '=', userId)
        .execute(),
    )
    return token
  }
  const messageTo = async (address: string) =>
    (
      await until(
        () => messagesTo(address),
        (found) => found.length > 0,
      )
    )[0]!

  test('the name of a user, a key or a workspace is one line of visible characters', async () => {
    const token = await signInByMail(server)
    for (const sign of hostileSigns) {
      const name = `Ann${sign}Lee`
      for (const [method, path, body] of [
        ['PATCH', '/api/v1/settings', { displayName: name }],
        ['POST', '/users/me/api-keys', { name }],
        ['POST', '/v1/workspaces', { name }],
      ] as const) {
        const { status } = await server.call(method, path, body, {
          token,
          headers: { 'x-forwarded-for': sign.codePointAt(0)!.toString() },
        })
        // Each surface has its own status for an invalid body.
        assert.ok(status === 400 || status === 422, `${path} with U+${sign.codePointAt(0)!.toString(16)}: ${status}`)
      }
    }
    const persian = 'می‌خواهم 👩‍💻'
    assert.equal((await call(token, 'PATCH', '/api/v1/settings', { displayName: persian })).body.displayName, persian)
  })

  test('an invitation contains nothing that its sender wrote but the name of the workspace, if that is a plain name', async () => {
    const address = newAddress()
    const token = await signInByMail(server, address)
    const { user_id: userId } = (await call(token, 'GET', '/users/me')).body
    // As an earlier version could have stored it.
    await withDatabase((db) => db.updateTable('users').set({ name: phish }).where('id', '=', userId).execute())
    const plain = newAddress()
    await invite(token, await create(token, 'Research & Development (2026)'), plain)
    const message = await messageTo(plain)
    assert.match(
      message,
      new RegExp(`\n${address} invites you into the workspace "Research & Development \\(2026\\)" as member\\.\n`),
    )
    assert.ok(!message.includes('evil') && !message.includes('declined'))
    assert.equal(message.match(/https?:/g)?.length, 1)
    for (const name of addresses) {
      const victim = newAddress()
      await invite(token, await create(token, name), victim)
      const told = await messageTo(victim)
      assert.ok(!told.includes(name), told)
      assert.match(told, new RegExp(`${address} invites you into a workspace as member`))
    }
    const page = await server.call(
      'GET',
      new URL(linkIn(message)).pathname + new URL(linkIn(message)).search,
      undefined,
      {
        token: null,
        headers: { accept: 'text/html' },
      },
    )
    assert.ok(page.body.includes(address) && !page.body.includes('declined'))
  })

  test('callers without a verified address send none: a wallet, a user known only to an issuer, an API key', async () => {
    const { token: byWallet } = await signInByWallet(server)
    for (const token of [byWallet, await issuer.tokenFor('first')]) {
      const victim = newAddress()
      const { status, body } = await invite(token, await create(token), victim)
      assert.deepEqual([status, body.code], [403, 'FORBIDDEN'])
      assert.match(body.error, /no verified mail address/)
      assert.deepEqual(messagesTo(victim), [])
    }
    const ann = await signInByMail(server)
    const id = await create(ann)
    const { body: key } = await call(`${ann}~${id}`, 'POST', '/users/me/api-keys', {})
    assert.equal((await invite(key.api_key, id, newAddress())).status, 403)
  })

  test('a user sends a limited number of invitations a day, however they are distributed, also after a restart', async () => {
    const token = await signInEarlier()
    const ids = [await create(token, 'First'), await create(token, 'Second')]
    const send = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, nth) => invite(token, ids[nth % 2]!, newAddress())))
    const first = await send(limits.invitationsPerUserDay - 5)
    assert.ok(first.every(({ status }) => status === 200))
    // Revoked invitations were sent all the same.
    for (const { body } of first.slice(0, 10))
      await Promise.all(
        ids.map((id) => call(token, 'DELETE', `/v1/workspaces/${id}/invitations/${body.invitation_id}`)),
      )
    await server.stop()
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    const rest = await send(60)
    assert.equal(rest.filter(({ status }) => status === 200).length, 5)
    const refused = rest.find(({ status }) => status !== 200)!
    assert.deepEqual([refused.status, refused.body.code], [429, 'RATE_LIMITED'])
    assert.equal(refused.body.limit, limits.invitationsPerUserDay)
    const retryAfterS = Number(refused.headers.get('retry-after'))
    assert.ok(retryAfterS > 86_000 && retryAfterS <= 86_400, `${retryAfterS}`)
  })

  test('a workspace sends a limited number a day, whichever member sends them', async () => {
    const owner = await signInByMail(server)
    const id = await create(owner)
    const people = await withDatabase((db) =>
      db
        .insertInto('invitations')
        .values(
          Array.from({ length: limits.invitationsPerWorkspaceDay }, (_, nth) => ({
            id: `${id}-${nth}`,
            hash: `${id}-${nth}`,
            account_id: id,
            email: `somebody-${nth}@example.com`,
            mailbox: `somebody-${nth}@example.com`,
            role: 'member' as const,
            invited_by: `user-${nth % 5}`,
            network: '',
            created_at: Date.now() - 3_600_000,
            expires_at: Date.now() + 3_600_000,
            ended_at: Date.now(),
          })),
        )
        .executeTakeFirst(),
    )
    assert.equal(Number(people.numInsertedOrUpdatedRows), limits.invitationsPerWorkspaceDay)
    const { status, body } = await invite(owner, id, newAddress())
    assert.deepEqual([status, body.limit], [429, limits.invitationsPerWorkspaceDay])
    // A day later they no longer count.
    await withDatabase((db) =>
      db
        .updateTable('invitations')
        .set({ created_at: Date.now() - limits.mailDayMs })
        .where('account_id', '=', id)
        .execute(),
    )
    assert.equal((await invite(owner, id, newAddress())).status, 200)
  })

  test('a user who has just signed up sends fewer', async () => {
    const token = await signInByMail(server)
    const id = await create(token)
    const answers = []
    for (let nth = 0; nth < limits.invitationsPerNewUserDay + 2; nth++)
      answers.push(await invite(token, id, newAddress()))
    assert.equal(answers.filter(({ status }) => status === 200).length, limits.invitationsPerNewUserDay)
    assert.match(answers.at(-1)!.body.error, /on your first day/)
  })

  test('one user or workspace writes to a mailbox a limited number of times, however it is spelled, without limiting others', async () => {
    const name = newAddress().split('@')[0]!
    const sender = await signInEarlier()
    let sent = 0
    for (let nth = 0; nth < limits.invitationsPerMailboxDay + 3; nth++) {
      const { status, body } = await invite(sender, await create(sender), `${name}+${nth}@example.com`)
      if (status === 200) sent++
      else assert.deepEqual([status, body.limit], [429, limits.invitationsPerMailboxDay])
    }
    assert.equal(sent, limits.invitationsPerMailboxDay)
    const alice = await signInByMail(server)
    const team = await create(alice)
    for (let nth = 0; nth < limits.invitationsPerMailboxDay; nth++)
      assert.equal((await invite(alice, team, `${name}@example.com`)).status, 200)
    assert.equal((await invite(alice, team, `${name}@example.com`)).status, 429)
  })

  test('a mailbox with invitations from very many users gets no more, and the refusal reveals nothing about them', async () => {
    const victim = newAddress()
    const workspace = await create(await signInByMail(server))
    await withDatabase((db) =>
      db
        .insertInto('invitations')
        .values(
          Array.from({ length: limits.mailboxInvitationsPerDay }, (_, nth) => ({
            id: `${victim}-${nth}`,
            hash: `${victim}-${nth}`,
            account_id: workspace,
            email: victim,
            mailbox: victim,
            role: 'member' as const,
            invited_by: `user-${nth}`,
            network: `192.0.2.${nth}`,
            created_at: Date.now() - 3_600_000,
            expires_at: Date.now() + 3_600_000,
            ended_at: Date.now(),
          })),
        )
        .execute(),
    )
    const alice = await signInByMail(server)
    const { status, body, headers } = await invite(alice, await create(alice), victim)
    assert.deepEqual([status, body.code, body.limit], [429, 'RATE_LIMITED', undefined])
    assert.equal(body.error, 'Cannot invite them now: the server sends no more such mail at present')
    assert.equal(Number(headers.get('retry-after')), limits.invitationRetryMs / 1000)
  })
})

describe('the mail of many users together', { timeout: 300_000 }, () => {
  const start = (env: NodeJS.ProcessEnv) =>
    TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_TRUSTED_PROXIES: 'loopback', ...env } })
  const signUp = async (server: TestApp, from: string, address = newAddress()): Promise<string> => {
    const headers = { 'x-forwarded-for': from }
    const link = new URL(await askForLink(server, address, headers))
    const code = { token: link.searchParams.get('token') }
    return (await server.post(link.pathname, code, { token: null, headers })).body.token
  }
  const team = async (server: TestApp, token: string): Promise<string> => {
    const { body } = await server.post('/v1/workspaces', { name: 'Team' }, { token })
    return `/v1/workspaces/${body.workspace_id}/invitations`
  }
  const ofDay = (table: 'magic_links' | 'invitations') =>
    withDatabase(async (db) => {
      const since = Date.now() - limits.mailDayMs
      if (table === 'invitations')
        return (await db.selectFrom(table).select('id').where('created_at', '>', since).execute()).length
      const links = db.selectFrom(table).select('hash').where('created_at', '>', since)
      return (await links.where('stranger', '=', 1).where('sent', '=', 1).execute()).length
    })

  test('users who signed up through one network share its limit, wherever they are; others can invite and sign up', async () => {
    const server = await start({ CARREL_MAILS_PER_NETWORK: '12' })
    try {
      const run = Math.floor(Math.random() * 0x1_00_00).toString(16)
      const attackers = `2a03:${run}:1:1::1`
      let sent = 0
      for (let nth = 0; nth < 3; nth++) {
        const token = await signUp(server, attackers)
        const path = await team(server, token)
        for (let each = 0; each < 6; each++) {
          const headers = { 'x-forwarded-for': `2a03:${run}:${nth + 2}:${each}::1` }
          if ((await server.post(path, { email: newAddress() }, { token, headers })).status === 200) sent++
        }
      }
      assert.equal(sent, 12)
      const alice = await signUp(server, `2a03:${run}:99:1::1`)
      const { status } = await server.post(await team(server, alice), { email: newAddress() }, { token: alice })
      assert.equal(status, 200)
    } finally {
      await server.stop()
    }
  })

  test('used-up invitations do not block sign-ups, and are logged', async () => {
    const server = await start({ CARREL_INVITATIONS_PER_DAY: String((await ofDay('invitations')) + 2) })
    try {
      const token = await signUp(server, '192.0.2.1')
      const path = await team(server, token)
      const statuses = []
      for (let nth = 0; nth < 4; nth++)
        statuses.push((await server.post(path, { email: newAddress() }, { token })).status)
      assert.deepEqual(statuses, [200, 200, 429, 429])
      assert.match(await signUp(server, '192.0.2.2'), /^pp_sess_/)
      const warnings = await until(
        () => server.log().match(/CARREL_INVITATIONS_PER_DAY/g) ?? [],
        (found) => found.length > 0,
      )
      assert.equal(warnings.length, 1, 'not for each refusal')
    } finally {
      await server.stop()
    }
  })

  test('used-up links to unknown addresses affect neither invitations nor known users, and are logged', async () => {
    const known = newAddress()
    const before = await start({})
    await signUp(before, '192.0.2.1', known)
    await before.stop()
    // Mail of earlier tests counts too.
    const server = await start({ CARREL_MAILS_PER_DAY: String((await ofDay('magic_links')) + 3) })
    try {
      const strangers = Array.from({ length: 6 }, newAddress)
      for (const email of strangers) assert.equal((await server.post('/login', { email }, { token: null })).status, 200)
      const token = await signUp(server, '192.0.2.1', known)
      assert.match(token, /^pp_sess_/)
      // Which ones are sent is decided after the answers, on PostgreSQL side by side.
      const links = await until(
        () =>
          withDatabase((db) => db.selectFrom('magic_links').select('sent').where('email', 'in', strangers).execute()),
        (rows) => rows.length === strangers.length,
      )
      assert.equal(links.filter(({ sent }) => sent === 1).length, 3)
      await until(
        () => strangers.flatMap((address) => messagesTo(address)).length,
        (count) => count === 3,
      )
      assert.equal((await server.post(await team(server, token), { email: newAddress() }, { token })).status, 200)
      await until(server.log, (log) => log.includes('CARREL_MAILS_PER_DAY'))
    } finally {
      await server.stop()
    }
  })
})
