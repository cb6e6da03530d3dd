import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, before, describe, mock, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { Driver } from '../../src/drivers/driver.ts'
import { createSession } from '../../src/engine/computers/access-sessions/create-session.ts'
import { revokeSession } from '../../src/engine/computers/access-sessions/revoke-session.ts'
import { requireComputer } from '../../src/engine/computers/access/open-computer.ts'
import { authenticateAny } from '../../src/engine/identity/auth/authenticate.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

/** A server as it could run in a computer: it shows its request, streams, and takes WebSockets. */
async function startGuest() {
  const server = createServer((request, response) => {
    if (request.url === '/events') return void response.write('data: 1\n\n')
    response.end(JSON.stringify({ url: request.url, headers: request.headers }))
  })
  new WebSocketServer({ server })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

type DialOptions = Parameters<Driver['dial']>[2]

/** Connects to a port of this machine, as `Driver.dial` does to one of a computer. */
async function dial(port: number, options: DialOptions = {}) {
  const { onRead } = options
  const onread = onRead && {
    buffer: Buffer.alloc(65_536),
    callback: (length: number, bytes: Uint8Array) => {
      onRead(Buffer.from(bytes.subarray(0, length)))
      return true
    },
  }
  const socket = connect({ port, host: '127.0.0.1', ...(onread ? { onread } : {}) })
  await once(socket, 'connect')
  return socket
}

describe('published ports', { timeout: 120_000 }, () => {
  let server: TestApp
  let inside: Server
  let guest: { host: string; url: string; port: number }

  before(async () => {
    server = await TestApp.start()
    inside = await startGuest()
    const { port } = inside.address() as AddressInfo
    mock.method(server.driver, 'dial', (_id: string, _port: number, options?: DialOptions) => dial(port, options))
    await server.post('/v1/computers', { handle: 'site' })
    await until(
      () => server.call('GET', '/v1/computers/site'),
      ({ body }) => body.computer.state === 'running',
    )
    const url = (await server.post('/v1/computers/site/ports', { port: 8080 })).body.port.public_url
    guest = { host: new URL(url).host, url, port: 8080 }
  })
  after(async () => {
    await server.stop()
    inside.closeAllConnections()
    inside.close()
  })

  const ports = (method: string, path = '', body?: unknown) =>
    server.call(method, `/v1/computers/site/ports${path}`, body)
  const publish = async (fields: Record<string, unknown> = {}) => {
    const { status, body } = await ports('POST', '', { port: guest.port, ...fields })
    assert.equal(status, 202, JSON.stringify(body))
    return body.port
  }
  const visit = (path: string, headers: Record<string, string> = {}) => server.preview(guest.url, path, { headers })
  const socket = (headers: Record<string, string> = {}) =>
    new WebSocket(`${server.url.replace('http', 'ws')}/`, { headers: { host: guest.host, ...headers } })
  const browserSession = async () => {
    const caller = await authenticateAny(server.engine, server.token)
    const computer = await requireComputer(server.engine, caller, 'site', 'run')
    return { computer, ...(await createSession(server.engine, computer, caller, { kind: 'browser', lifeMs: 60_000 })) }
  }

  test('are listed with a stable address, updated, and deleted', async () => {
    const first = await publish({ name: 'web' })
    assert.deepEqual(
      [first.port, first.name, first.visibility, first.state, first.public_url],
      [8080, 'web', 'public', 'ready', guest.url],
    )
    assert.deepEqual((await ports('GET')).body.ports, [first])
    assert.equal((await publish({ visibility: 'private' })).name, 'web', 'what is left out stays')
    assert.equal((await publish({ visibility: 'public' })).public_url, first.public_url)
    const other = (await ports('POST', '', { port: 9000 })).body.port
    assert.equal((await ports('DELETE', '/9000')).status, 202)
    assert.equal((await ports('DELETE', '/9000')).status, 404)
    assert.equal((await server.preview(other.public_url, '/')).status, 404)
  })

  test('refuse ports that are none', async () => {
    for (const port of [0, 65_536, -1, 1.5, '8080x'])
      assert.equal((await ports('POST', '', { port })).body.error.code, 'invalid_request', String(port))
    for (const port of ['0', '65536', 'x']) assert.equal((await ports('DELETE', `/${port}`)).status, 404)
    assert.equal((await ports('POST', '', { port: 80, visibility: 'secret' })).status, 400)
  })

  test('a private one opens for tokens of the workspace alone', async () => {
    await publish({ visibility: 'private' })
    const stranger = await server.newAccount()
    const refused: Record<string, string>[] = [
      {},
      { authorization: 'Bearer pp_sess_wrong' },
      { authorization: `Bearer ${stranger}` },
      { cookie: 'carrel_access=pp_access_wrong' },
    ]
    for (const headers of refused) {
      const { status, body } = await visit('/echo', headers)
      assert.deepEqual([status, JSON.parse(body.toString()).code], [401, 'UNAUTHENTICATED'], JSON.stringify(headers))
    }
    assert.match((await visit('/', { accept: 'text/html' })).body.toString(), /This preview is private/)
    const accepted: Record<string, string>[] = [
      { authorization: `Bearer ${server.token}` },
      { 'x-session-token': server.token },
    ]
    for (const headers of accepted) {
      const { status, body } = await visit('/echo', headers)
      assert.equal(status, 200)
      assert.ok(!body.toString().includes(server.token), 'the computer does not see the token')
    }
    const opened = socket({ authorization: `Bearer ${server.token}` })
    await once(opened, 'open')
    opened.terminate()
    const closed = socket()
    const [error] = await once(closed, 'error')
    assert.match(String(error), /401/)
  })

  test('a link with the token of a session sets a cookie of that host alone, until the session is revoked', async () => {
    await publish({ visibility: 'private' })
    const { computer, session, token } = await browserSession()
    const { status, headers } = await visit(`/echo?a=1&access_token=${token}`)
    assert.equal(status, 303)
    assert.equal(headers['location'], '/echo?a=1')
    const cookie = String(headers['set-cookie'])
    assert.match(cookie, /^carrel_access=pp_access_[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
    const sent = { cookie: cookie.split(';')[0]! }
    const { body } = await visit('/echo', sent)
    assert.ok(!body.toString().includes('pp_access_'))
    const open = socket(sent)
    await once(open, 'open')
    const closing = once(open, 'close')
    await revokeSession(server.engine, computer, session.id)
    await closing
    assert.equal((await visit('/echo', sent)).status, 401)
    assert.equal((await visit(`//elsewhere.example/?access_token=${token}`)).status, 401)
  })

  test('connections that are open end when a port becomes private, and when it is deleted', async () => {
    for (const end of [() => publish({ visibility: 'private' }), () => ports('DELETE', `/${guest.port}`)]) {
      await publish({ visibility: 'public' })
      const open = socket()
      await once(open, 'open')
      const { hostname, port } = new URL(server.url)
      const slow = httpRequest({ hostname, port, path: '/events', headers: { host: guest.host } }).end()
      const [response] = await once(slow, 'response')
      response.resume()
      const ended = [once(open, 'close'), new Promise((resolve) => response.once('close', resolve))]
      await end()
      await Promise.all(ended)
    }
  })

  test('tell their visitors what the owner of a computer that keeps its files can do', async () => {
    const page = async () => (await visit('/', { accept: 'text/html' })).body.toString()
    await publish({ visibility: 'private' })
    assert.match(
      await page(),
      /This preview is private[^]*carrel computers open &#60;handle&#62;[^]*carrel computers ls/,
    )
    await publish({ visibility: 'public' })
    inside.close()
    inside.closeAllConnections()
    assert.match(await page(), /This preview does not answer[^]*carrel ps --session &#60;handle&#62;/)
    await server.call('POST', '/v1/computers/site/actions/stop')
    const stopped = await until(page, (text) => text.includes('This preview has ended'))
    assert.match(stopped, /carrel computers start &#60;handle&#62;/)
    assert.doesNotMatch(stopped, /site|sandbox/)
  })
})
