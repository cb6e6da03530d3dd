import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { GithubServer } from '../identity/github-server.ts'
import { askForLink, newAddress, outbox, signInByMail } from '../identity/outbox.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { readdirSync } from 'node:fs'

describe('a sign-in link', { timeout: 300_000 }, () => {
  let github: GithubServer
  let server: TestApp
  before(async () => {
    github = await GithubServer.start()
    server = await TestApp.start({
      env: {
        CARREL_GITHUB_URL: github.url,
        CARREL_GITHUB_CLIENT_ID: github.clientId,
        CARREL_GITHUB_CLIENT_SECRET: github.clientSecret,
        CARREL_SIGN_INS_PER_MINUTE: '0',
      },
    })
  })
  after(async () => {
    await server.stop()
    await github.stop()
  })

  test('is not used up by merely opening it, whatever types the client accepts', async () => {
    const link = await askForLink(server, newAddress())
    const accepts = ['*/*', 'application/json', 'application/json, */*;q=0.1', 'text/html', 'text/plain', 'image/*', '']
    for (const accept of accepts) {
      const response = await fetch(link, { headers: { accept } })
      assert.equal(response.status, 200, accept)
      assert.ok(!(await response.text()).includes('pp_sess_'), accept)
    }
    for (const method of ['HEAD', 'OPTIONS', 'PUT']) assert.ok((await fetch(link, { method })).status >= 400, method)
    const code = new URL(link).searchParams.get('token')!
    // As documented: curl -d token=…
    const response = await fetch(`${server.url}/login/callback`, {
      method: 'POST',
      headers: { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${code}`,
    })
    assert.match(((await response.json()) as { token: string }).token, /^pp_sess_/)
  })

  test('an address that differs from another only beyond ASCII is a different address', async () => {
    const address = newAddress().replace('person', 'kelvin.mike')
    const victim = await signInByMail(server, address)
    const { user_id: victimId } = (await server.call('GET', '/users/me', undefined, { token: victim })).body
    for (const [nth, lookalike] of [
      address.replace('k', '\u212a'),
      address.replace('i', '\u0131'),
      address.replace('i', '\u0130'),
      `\n${address}`,
      address.replace('@', '\u0000@'),
      `${address}\nBcc: other@example.com`,
    ].entries()) {
      const user = { id: Date.now() * 10 + nth, login: 'mallory', name: null }
      const emails = [{ email: lookalike, primary: true, verified: true }]
      const { status, body } = await server.post(
        '/auth/github',
        { code: github.codeFor({ ...user, emails }), state: null },
        { token: null },
      )
      assert.equal((await server.post('/login', { email: lookalike }, { token: null })).status, 400)
      assert.ok(status === 200 || status === 403, `${status}`)
      if (status === 403) continue
      assert.notEqual(body.user_id, victimId, JSON.stringify(lookalike))
      const profile = await server.call('GET', '/users/me', undefined, { token: body.access_token })
      assert.ok(!/[\n\0]/.test(profile.body.email))
    }
    const user = { id: Date.now() * 10 + 9, login: 'victim', name: null }
    const emails = [{ email: address.toUpperCase(), primary: true, verified: true }]
    const own = await server.post('/auth/github', { code: github.codeFor({ ...user, emails }) }, { token: null })
    assert.equal(own.body.user_id, victimId)
  })

  test('a name from GitHub is one line', async () => {
    const user = { id: Date.now() * 10 + 8, login: 'm', name: 'Carrel\u2028Support\n\nPay \u202etoday' }
    const emails = [{ email: newAddress(), primary: true, verified: true }]
    const { body } = await server.post('/auth/github', { code: github.codeFor({ ...user, emails }) }, { token: null })
    const profile = await server.call('GET', '/users/me', undefined, { token: body.access_token })
    assert.equal(profile.body.name, 'Carrel Support Pay today')
  })
})

describe('what a closed server does for a known address', { timeout: 300_000 }, () => {
  const known = newAddress()
  before(async () => {
    const server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0' } })
    await signInByMail(server, known)
    await server.stop()
  })

  test('it also does for an unknown one, up to the login at the mail server', async () => {
    const conversations: { user: string; messages: number }[] = []
    const smtp = new SMTPServer({
      authOptional: false,
      allowInsecureAuth: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username = '' }, session, done) => {
        const conversation = { user: username, messages: 0 }
        conversations.push(conversation)
        Object.assign(session, { conversation })
        done(null, { user: username })
      },
      onData: (stream, session, done) => {
        void text(stream).then(() => {
          ;(session as unknown as { conversation: { messages: number } }).conversation.messages++
          done()
        })
      },
    })
    smtp.listen(0, '127.0.0.1')
    await once(smtp.server, 'listening')
    const { port } = smtp.server.address() as AddressInfo
    const server = await TestApp.start({
      env: {
        CARREL_SIGN_UP: 'closed',
        CARREL_SIGN_INS_PER_MINUTE: '0',
        CARREL_SMTP_URL: `smtp://carrel:secret@127.0.0.1:${port}?ignoreTLS=true`,
        CARREL_PUBLIC_URL: 'https://carrel.example.com',
      },
    })
    try {
      for (const [nth, email] of [known, newAddress()].entries()) {
        assert.equal((await server.post('/login', { email }, { token: null })).status, 200)
        await until(
          () => conversations.length,
          (count) => count === nth + 1,
        )
        const rows = await withDatabase((db) =>
          db
            .selectFrom('magic_links')
            .select('sent')
            .where('email', '=', email)
            .orderBy('created_at', 'desc')
            .execute(),
        )
        assert.equal(rows[0]!.sent, email === known ? 1 : 0)
      }
      await until(
        () => conversations.map(({ messages }) => messages).join(),
        (messages) => messages === '1,0',
      )
    } finally {
      await server.stop()
      await new Promise<void>((resolve) => smtp.close(() => resolve()))
    }
  })

  test('leaves no trace in the outbox without a mail server', async () => {
    const server = await TestApp.start({ env: { CARREL_SIGN_UP: 'closed', CARREL_SIGN_INS_PER_MINUTE: '0' } })
    try {
      await Promise.all(
        Array.from({ length: 10 }, () => server.post('/login', { email: newAddress() }, { token: null })),
      )
      await askForLink(server, known)
      await until(
        () => readdirSync(outbox()).filter((name) => !name.endsWith('.txt')),
        (left) => left.length === 0,
      )
    } finally {
      await server.stop()
    }
  })
})
