import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { startGuestServer, type GuestServer } from '../paperpod/guest-server.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const handshake = (host: string, path = '/') =>
  `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

function openFiles(server: TestServer): number {
  return readdirSync(`/proc/${server.process.pid}/fd`).length
}

async function dial(server: TestServer, { from = '127.0.0.1', send = '' } = {}): Promise<Socket> {
  const { port } = new URL(server.url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: from, allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (send !== '') socket.write(send)
  return socket
}

async function firstLine(socket: Socket): Promise<string> {
  const [data] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])])) as [Buffer]
  return String(data).split('\r\n')[0]!
}

/** A server that may have only few descriptors, so that a test can use them up. */
describe('a server whose descriptors are in demand', { timeout: 300_000 }, () => {
  const limit = 700
  let server: TestServer
  let guest: GuestServer
  let other: string
  const sessionId = newSession()
  const sockets: Socket[] = []
  const letGo = async () => {
    const { length } = sockets
    for (const socket of sockets.splice(0)) socket.destroy()
    await until(
      () => openFiles(server),
      (count) => count < limit / 3,
    )
    return length
  }

  before(async () => {
    // Computers of other tests would count for the same account.
    execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/down.js', import.meta.url))])
    server = await TestServer.start({ descriptors: limit })
    guest = await startGuestServer(server)
    other = await server.newAccount('other')
    await server.post('/execute', { code: 'true', language: 'shell', sessionId }, { token: other })
  })
  after(() => server.stop())

  /** Asserts that others are still served: the owner of the preview, another account, and an anonymous client. */
  const isThere = async () => {
    for (const token of [server.token, other]) {
      const body = { code: 'echo ok', language: 'shell', sessionId: token === other ? sessionId : guest.sessionId }
      const answer = await server.post('/execute', body, { token })
      assert.deepEqual([answer.status, answer.body.result?.stdout], [200, 'ok\n'], JSON.stringify(answer.body))
    }
    assert.equal((await server.call('GET', '/health', undefined, { token: null })).status, 200)
    assert.equal(
      (await server.post('/files/write', { path: 'x', content: 'x', sessionId }, { token: other })).status,
      200,
    )
  }
  const visit = async (from: string, send: string, count: number) => {
    const lines: string[] = []
    for (let index = 0; index < count; index++) {
      const socket = await dial(server, { from, send })
      sockets.push(socket)
      lines.push(await firstLine(socket))
    }
    return lines
  }

  test('one visitor of a preview cannot take all of its WebSockets, and others get some', async () => {
    const lines = await visit('127.0.0.2', handshake(guest.host), 100)
    const opened = lines.filter((line) => line.startsWith('HTTP/1.1 101 ')).length
    assert.ok(opened > 10 && opened < 60, `${opened} were opened`)
    assert.deepEqual(new Set(lines.slice(opened)), new Set(['HTTP/1.1 503 Service Unavailable']))
    assert.match((await visit('127.0.0.3', handshake(guest.host), 1))[0]!, / 101 /)
    await isThere()
    await letGo()
  })

  test('many visitors of one preview leave enough for its owner and all other clients', async () => {
    for (let host = 2; host < 30; host++) await visit(`127.0.0.${host}`, handshake(guest.host), 8)
    assert.ok(openFiles(server) < limit / 2, `${openFiles(server)} are open`)
    await isThere()
    await letGo()
  })

  test('requests that a preview never answers are each counted, even many on one connection', async () => {
    const send = `GET /silent?ms=60000 HTTP/1.1\r\nhost: ${guest.host}\r\n\r\n`.repeat(50)
    for (let index = 0; index < 6; index++) {
      const socket = await dial(server, { from: '127.0.0.2', send })
      sockets.push(socket)
      // The first request has been sent, and the others with it.
      await firstLine(socket)
    }
    await isThere()
    assert.ok(openFiles(server) < limit / 2, `${openFiles(server)} are open`)
    await letGo()
  })

  test('connections that send nothing, or never finish a request, lock no client out', async () => {
    for (let index = 0; index < limit; index++)
      sockets.push(
        await dial(server, {
          from: `127.0.0.${2 + (index % 50)}`,
          send: index % 2 ? 'POST /login HTTP/1.1\r\nx: ' : '',
        }),
      )
    await isThere()
    assert.ok(openFiles(server) < limit / 2, `${openFiles(server)} are open`)
    await letGo()
  })

  test('an account with too many connections is refused, and no other', async () => {
    const opened: WebSocket[] = []
    let refused: Record<string, unknown> | undefined
    while (!refused && opened.length < limit) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, {
        headers: { authorization: `Bearer ${other}` },
      })
      opened.push(socket)
      refused = await new Promise((resolve) => {
        socket.once('open', () => resolve(undefined))
        socket.once('error', () => {})
        socket.once('unexpected-response', (_request, response) => {
          let text = ''
          response.on('data', (chunk) => (text += String(chunk)))
          response.on('end', () => resolve({ status: response.statusCode, ...JSON.parse(text) }))
        })
      })
    }
    assert.deepEqual([refused?.['status'], refused?.['code'], refused?.['retryable']], [429, 'LIMIT_REACHED', true])
    assert.ok(opened.length < limit / 3, `${opened.length} were opened`)
    const body = { code: 'true', language: 'shell', sessionId: guest.sessionId }
    assert.equal((await server.post('/execute', body)).status, 200)
    for (const socket of opened) socket.terminate()
    await until(
      () => server.post('/files/read', { path: 'x', sessionId }, { token: other }),
      ({ status }) => status === 200,
    )
  })
})

describe('a server with timeouts of a second', { timeout: 300_000 }, () => {
  const program = fileURLToPath(new URL('./fixtures/hasty-server.ts', import.meta.url))
  let server: TestServer
  let guest: GuestServer

  before(async () => {
    server = await TestServer.start({ program })
    guest = await startGuestServer(server)
  })
  after(() => server.stop())

  test('closes a connection that sends nothing', async () => {
    const socket = await dial(server)
    socket.resume()
    await once(socket, 'end')
    socket.destroy()
  })

  for (const [what, send, status] of [
    ['what is no HTTP', 'x\r\n\r\n', 400],
    ['a WebSocket that there is not', handshake('localhost', '/nothing'), 404],
    ['one that is not let in', handshake('localhost', '/ws'), 401],
    ['one of a preview that there is not', handshake('1-none.localhost'), 404],
  ] as const)
    test(`closes a connection that the client keeps open, after refusing ${what}`, async () => {
      const before = openFiles(server)
      const socket = await dial(server, { send })
      assert.match(await firstLine(socket), new RegExp(`^HTTP/1.1 ${status} `))
      await until(
        () => openFiles(server),
        (count) => count <= before,
      )
      socket.destroy()
    })

  test('closes a WebSocket of a preview without traffic in either direction, and no other', async () => {
    const quiet = await dial(server, { send: handshake(guest.host) })
    const busy = await dial(server, { send: handshake(guest.host) })
    await Promise.all([quiet, busy].map((socket) => once(socket, 'data')))
    // A ping, masked as required of a client.
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
    const pings = setInterval(() => busy.write(ping), 200)
    quiet.resume()
    await once(quiet, 'end')
    busy.resume()
    assert.equal(busy.readableEnded, false)
    clearInterval(pings)
    await once(busy, 'end')
    for (const socket of [quiet, busy]) socket.destroy()
  })

  test('gives up a connection that a port with a full accept queue does not take', async () => {
    const code = `import socket, time
s = socket.socket(); s.bind(('0.0.0.0', 9000)); s.listen(0)
kept = [socket.socket() for _ in range(2)]
for one in kept: one.setblocking(False); one.connect_ex(('127.0.0.1', 9000))
print('full', flush=True)
time.sleep(1000)`
    const { sessionId } = guest
    await server.post('/files/write', { path: 'full.py', content: code, sessionId })
    await server.post('/process/start', { command: 'python3 full.py', processId: 'full', sessionId })
    await until(
      () => server.post('/process/get', { processId: 'full', sessionId }),
      ({ body }) => body.logs.stdout === 'full\n',
    )
    const { body } = await server.post('/expose', { port: 9000, sessionId })
    const { status, body: told } = await server.preview(body.url, '/')
    assert.equal(status, 502)
    assert.match(String(told), /does not accept connections/)
  })
})
