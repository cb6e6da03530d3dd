import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { newSession, TestServer, until } from '../support/server.ts'
import { startGuestServer, type GuestServer } from './guest-server.ts'

describe('previews over WebSocket', { timeout: 300_000 }, () => {
  let server: TestServer
  let guest: GuestServer

  before(async () => {
    server = await TestServer.start()
    guest = await startGuestServer(server)
  })
  after(() => server.stop())

  const open = (path = '/', host = guest.host, headers: Record<string, string> = {}) =>
    new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers: { host, ...headers } })
  const ask = async (socket: WebSocket, message: string | Buffer): Promise<Buffer> => {
    socket.send(message)
    const [data] = (await once(socket, 'message')) as [Buffer]
    return data
  }
  /** Sends a raw handshake and returns the whole response. */
  const raw = async (request: string): Promise<string> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(request)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString()
  }
  const opened = () => server.preview(guest.url, '/open').then(({ body }) => body.toString())

  test('texts and bytes of every size come back', async () => {
    const socket = open()
    await once(socket, 'open')
    assert.equal(String(await ask(socket, 'grüß dich')), 'grüß dich')
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 5_000_000]) {
      const bytes = randomBytes(size)
      assert.ok((await ask(socket, bytes)).equals(bytes), `${size} bytes`)
    }
    socket.close(1000)
    const [code] = await once(socket, 'close')
    assert.equal(code, 1000)
  })

  test('the handshake reaches the guest with its own headers and its origin', async () => {
    const socket = open('/path?q=1', guest.host, { cookie: 'a=1', origin: 'http://own.example' })
    await once(socket, 'open')
    const headers = JSON.parse(String(await ask(socket, 'headers')))
    assert.deepEqual(
      [headers.host, headers.cookie, headers.origin, headers['x-forwarded-host']],
      [guest.host, 'a=1', 'http://own.example', guest.host],
    )
    assert.match(headers['x-forwarded-for'], /127\.0\.0\.1$/)
    socket.terminate()
  })

  test('a cookie in the handshake is limited to its own preview', async () => {
    const socket = open()
    const opened = once(socket, 'open')
    const [{ headers }] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string[]> }]
    assert.deepEqual(headers['set-cookie'], ['w=1'])
    await opened
    socket.terminate()
  })

  test('the guest notices when the client is gone', async () => {
    const socket = open()
    await once(socket, 'open')
    await until(opened, (count) => count === '1')
    socket.terminate()
    await until(opened, (count) => count === '0')
  })

  test('50 concurrent WebSockets each receive their own messages', async () => {
    const sockets = Array.from({ length: 50 }, () => open())
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    const answers = await Promise.all(sockets.map((socket, index) => ask(socket, `own ${index}`)))
    assert.deepEqual(
      answers.map(String),
      sockets.map((_, index) => `own ${index}`),
    )
    for (const socket of sockets) socket.terminate()
    await until(opened, (count) => count === '0')
  })

  test('data that is sent together with the handshake is not lost', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    socket.write(Buffer.concat([Buffer.from(handshake(guest.host)), frame]))
    let seen = ''
    for await (const chunk of socket) {
      seen += (chunk as Buffer).toString('latin1')
      if (seen.endsWith('\x81\x02hi')) break
    }
    await until(opened, (count) => count === '0')
    assert.match(seen, /^HTTP\/1\.1 101 /)
  })

  test('a refusal of the guest is relayed, and the connection ends with it', async () => {
    const answer = await raw(handshake(guest.host, '/refuse') + `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.match(answer, /x-own: yes\r\n/)
    assert.match(answer, /connection: close\r\n/)
    assert.ok(answer.endsWith('\r\n\r\nno'), answer)
  })

  test('a request after an offer of another protocol on the same connection is handled separately', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /open HTTP/1.1\r\nhost: ${guest.host}\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n`)
    let seen = ''
    for await (const chunk of socket) {
      seen += String(chunk)
      // A proxy in front of Carrel may now use the connection for any client: its request must not go to the guest.
      if (seen.endsWith('\r\n\r\n0'))
        socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    }
    assert.match(seen, /"service":"carrel"/)
  })

  for (const [why, host, status, code] of [
    ['a name that is none', () => 'nothing.localhost', 404, ''],
    ['a port that is not exposed', () => guest.host.replaceAll('8080', '8079'), 404, 'NOT_FOUND'],
    ['two ports', () => guest.host.replace('8080', '8079'), 404, ''],
    ['a leading zero', () => guest.host.replaceAll('8080', '08080'), 404, ''],
    ['an unknown computer', () => guest.host.replace(guest.computerId, 'a'.repeat(20)), 404, 'NOT_FOUND'],
  ] as const)
    test(`a handshake with ${why} is refused with ${status}`, async () => {
      const answer = await raw(handshake(host()))
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.ok(answer.includes(code))
    })

  test('a handshake with a port where nothing listens is refused with 502 and JSON', async () => {
    const { body } = await server.post('/expose', { port: 7777, sessionId: guest.sessionId })
    const answer = await raw(handshake(new URL(body.url).host))
    assert.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n/)
    assert.equal(JSON.parse(answer.split('\r\n\r\n')[1]!).code, 'UPSTREAM_UNREACHABLE')
  })

  test('WebSockets of two sandboxes are separate', async () => {
    const other = await startGuestServer(server, { sessionId: newSession() })
    const [one, two] = [open(), open('/', other.host)]
    await Promise.all([once(one, 'open'), once(two, 'open')])
    const heard: string[] = []
    two.on('message', (data: Buffer) => heard.push(data.toString()))
    for (let index = 0; index < 50; index++) assert.equal(String(await ask(one, `secret ${index}`)), `secret ${index}`)
    assert.deepEqual(heard, [])
    one.terminate()
    two.terminate()
  })

  test('WebSockets are closed when the process behind them is killed', async () => {
    const socket = open()
    const closed = once(socket, 'close')
    await once(socket, 'open')
    await server.post('/process/kill', { processId: 'server-8080', signal: 'SIGKILL', sessionId: guest.sessionId })
    await closed
    const { status } = await server.preview(guest.url, '/open')
    assert.equal(status, 502)
  })
})

function handshake(host: string, path = '/'): string {
  return `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
}
