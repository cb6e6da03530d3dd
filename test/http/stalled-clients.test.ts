import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startGuestServer, type GuestServer } from '../paperpod/guest-server.ts'
import { newSession, TestServer, until } from '../support/server.ts'

/** What the server's timeouts for stalled clients are cut to. */
const stallMs = 1000
const longMs = 60_000

describe('stalled clients, with timeouts of a second', { timeout: 300_000 }, () => {
  let server: TestServer
  let guest: GuestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start({ limits: { stalledClientMs: stallMs, stalledBodyMs: stallMs } })
    guest = await startGuestServer(server, { sessionId })
    await server.shell('head -c 30000000 /dev/zero | tr "\\0" x > large', { sessionId })
  })
  after(() => server.stop())

  async function send(head: string, body = ''): Promise<Socket> {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(`${head}\r\n\r\n${body}`)
    return socket
  }

  function ask(path: string, body: unknown): Promise<Socket> {
    const text = JSON.stringify(body)
    return send(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`,
      text,
    )
  }

  /** Whether the server's end of a connection is open, whatever the client has read. */
  function isOpen(socket: Socket): boolean {
    const ports = [new URL(server.url).port, (socket.address() as AddressInfo).port]
    const [local, remote] = ports.map((port) => Number(port).toString(16).toUpperCase().padStart(4, '0'))
    return ['tcp', 'tcp6'].some((table) =>
      new RegExp(`:${local} [0-9A-F]+:${remote} 01 `).test(readFileSync(`/proc/net/${table}`, 'latin1')),
    )
  }

  const unread: Record<string, () => Promise<Socket>> = {
    'the output of an execute': () =>
      ask('/execute', { code: 'head -c 4000000 /dev/zero | tee /dev/stderr', language: 'shell', sessionId }),
    'a file in a JSON response': () => ask('/files/read', { path: 'large', sessionId }),
    'a download': () =>
      send(
        `GET /files/download?path=large&sessionId=${sessionId} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}`,
      ),
    'the response of a preview': () => send(`GET /source?mib=30 HTTP/1.1\r\nhost: ${guest.host}`),
  }
  for (const [what, begin] of Object.entries(unread))
    test(`a client that reads nothing of ${what} is cut off`, async () => {
      const socket = await begin()
      assert.ok(isOpen(socket))
      await until(
        () => isOpen(socket),
        (open) => !open,
        longMs,
      )
      socket.destroy()
    })

  test('a client whose body for a preview stops midway gets an error and is cut off', async () => {
    const socket = await send(`POST /sink HTTP/1.1\r\nhost: ${guest.host}\r\ncontent-length: 10`, 'half')
    let answer = ''
    socket.on('data', (data: Buffer) => (answer += data.toString()))
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /"code":"REQUEST_TIMEOUT"/)
  })

  test('a client that reads a preview slowly receives all of it', async () => {
    const socket = await send(`GET /source?mib=16 HTTP/1.1\r\nhost: ${guest.host}\r\nconnection: close`)
    let bytes = 0
    let pauseAt = 0
    socket.on('data', (data: Buffer) => {
      bytes += data.length
      if (bytes < pauseAt) return
      pauseAt += 2 * 1024 * 1024
      socket.pause()
      setTimeout(() => socket.resume(), stallMs * 0.7)
    })
    await once(socket, 'end')
    assert.ok(bytes > 16 * 1024 * 1024, `${bytes} bytes`)
    socket.destroy()
  })

  test('a preview stays open while its server is silent', async () => {
    const begun = performance.now()
    const { body } = await server.preview(guest.url, `/silent?ms=${stallMs * 4}`)
    assert.equal(body.toString(), 'ab')
    assert.ok(performance.now() - begun >= stallMs * 3.9)
  })

  test('a silent WebSocket of a preview stays open', async () => {
    const socket = await send(
      `GET /ws HTTP/1.1\r\nhost: ${guest.host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==`,
    )
    const [head] = (await once(socket, 'data')) as [Buffer]
    assert.match(head.toString(), /^HTTP\/1\.1 101 /)
    await delay(stallMs * 4)
    assert.ok(isOpen(socket))
    socket.destroy()
  })
})
