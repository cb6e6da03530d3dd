import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'
import { AccessTokens } from '../../src/engine/identity/auth/access-tokens.ts'
import { importSigningKey } from '../../src/engine/identity/auth/signing-key.ts'
import { startGuestServer, type GuestServer } from '../paperpod/guest-server.ts'
import { serverSecret } from '../support/server-secret.ts'
import { TestServer } from '../support/server.ts'

/** Tokens that a client sends to a preview by mistake, because it is a host name of the same server. */
describe("Carrel's own credentials that are sent to a preview", { timeout: 300_000 }, () => {
  let server: TestServer
  let guest: GuestServer
  let credentials: string[]
  /** A credential of the guest's own users. */
  let theirs: string

  before(async () => {
    server = await TestServer.start()
    guest = await startGuestServer(server)
    const accessTokens = new AccessTokens(await importSigningKey(await serverSecret('signing-key')), () => server.url)
    const { body } = await server.post('/ws/session')
    credentials = [
      server.token,
      `${server.token}~workspace`,
      body.token,
      await accessTokens.issue('user', 'family'),
      await accessTokens.issueRefresh('user', 'family', { id: 'id', endsAtMs: Date.now() + 60_000 }),
    ]
    theirs = await new SignJWT({ sub: 'somebody' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setIssuer('http://guest.example')
      .sign(Buffer.alloc(32, 1))
  })
  after(() => server.stop())

  const echo = async (path: string, headers: Record<string, string>) => {
    const { body } = await server.preview(guest.url, path, { headers })
    return body.toString()
  }

  test('do not reach the guest in a header, a cookie or the query', async () => {
    for (const token of credentials) {
      const secret = token.slice(12, 40)
      const got = await echo(`/echo?a=1&token=${token}&access_token=${encodeURIComponent(token)}&b=2`, {
        authorization: `Bearer ${token}`,
        'x-session-token': token,
        'x-api-key': token,
        cookie: `theme=dark; session=${token}; lang=en`,
        referer: `http://localhost/ws?token=${token}&c=3`,
      })
      assert.ok(!got.includes(secret), got)
      const { url, headers } = JSON.parse(got)
      assert.deepEqual(
        [url, headers.cookie, headers.referer],
        ['/echo?a=1&b=2', 'theme=dark; lang=en', 'http://localhost/ws?c=3'],
      )
    }
  })

  test('do not reach the guest in a handshake', async () => {
    for (const token of credentials) {
      const { host } = guest
      const url = `${server.url.replace('http', 'ws')}/ws?token=${token}&a=1`
      const headers = { host, authorization: `Bearer ${token}`, cookie: `a=1; token=${token}` }
      const socket = new WebSocket(url, { headers })
      await once(socket, 'open')
      socket.send('headers')
      const [data] = await once(socket, 'message')
      const got = String(data)
      socket.terminate()
      assert.ok(!got.includes(token.slice(12, 40)), got)
      assert.equal(JSON.parse(got).cookie, 'a=1')
    }
  })

  test("do not affect the guest's own, which pass unchanged", async () => {
    const sent = {
      authorization: `Bearer ${theirs}`,
      'x-session-token': theirs,
      cookie: `token=${theirs};  key=ak_1`,
      referer: `http://guest.example/?token=${theirs}`,
    }
    const { url, headers } = JSON.parse(await echo(`/echo?token=${theirs}&x=%70p_`, sent))
    assert.equal(url, `/echo?token=${theirs}&x=%70p_`)
    for (const [name, value] of Object.entries(sent)) assert.equal(headers[name], value)
  })
})
