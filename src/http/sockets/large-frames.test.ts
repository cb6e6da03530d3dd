/* oxlint-disable eslint/no-underscore-dangle -- ws names its fields like this */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { ClientSocket } from './client-socket.ts'
import { receiveInPieces } from './large-frames.ts'

const MiB = 1024 * 1024

describe('receiveInPieces()', () => {
  const http = createServer()
  const sockets: WebSocketServer = new WebSocketServer({
    noServer: true,
    maxPayload: 20 * MiB,
    WebSocket: ClientSocket as never,
  })
  before(async () => {
    http.on('upgrade', (request, connection, head) =>
      sockets.handleUpgrade(request, connection as Socket, head, (client) => {
        receiveInPieces(client as ClientSocket, 20 * MiB)
        client.on('message', (data: Buffer, isBinary: boolean) => client.send(data, { binary: isBinary }))
        client.on('error', () => {})
      }),
    )
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  })
  after(() => {
    for (const client of sockets.clients) client.terminate()
    http.close()
  })

  async function open(): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, { maxPayload: 30 * MiB })
    await once(socket, 'open')
    return socket
  }

  async function echoed(socket: WebSocket): Promise<[Buffer, boolean]> {
    return (await once(socket, 'message')) as [Buffer, boolean]
  }

  test('receives consecutive messages of every size unchanged', async () => {
    const socket = await open()
    for (const bytes of [0, 1, 1000, 256 * 1024, 256 * 1024 + 1, 3 * MiB + 1, 5, 20 * MiB]) {
      const sent = randomBytes(bytes)
      const back = echoed(socket)
      socket.send(sent)
      const [data, isBinary] = await back
      assert.ok(isBinary && data.equals(sent), `${bytes} bytes`)
    }
    const text = 'é漢x'.repeat(MiB)
    const back = echoed(socket)
    socket.send(text)
    const [data, isBinary] = await back
    assert.ok(!isBinary && data.toString() === text)
    socket.terminate()
  })

  test('assembles fragments with pings between them', async () => {
    const socket = await open()
    const parts = [10, 300_000, 1, 0, 2 * MiB + 3, 70_000].map((bytes) => randomBytes(bytes))
    const back = echoed(socket)
    for (const [index, part] of parts.entries()) {
      socket.send(part, { fin: index === parts.length - 1 })
      socket.ping('between')
    }
    const [data] = await back
    assert.ok(data.equals(Buffer.concat(parts)))
    const after = echoed(socket)
    socket.send('small')
    assert.equal(String((await after)[0]), 'small')
    socket.terminate()
  })

  test('refuses messages that are too large or not UTF-8', async () => {
    for (const [send, code] of [
      [(socket: WebSocket) => socket.send(Buffer.alloc(20 * MiB + 1)), 1009],
      [(socket: WebSocket) => socket.send(Buffer.alloc(2 * MiB, 0x80), { binary: false }), 1007],
    ] as const) {
      const socket = await open()
      const closed = once(socket, 'close')
      socket.on('error', () => {})
      send(socket)
      const [found] = (await closed) as [number]
      assert.equal(found, code)
    }
  })

  test('assembles a message while it arrives: at its end nothing is left to copy', async () => {
    const socket = await open()
    const { _receiver: receiver, _socket: connection } = [...sockets.clients].at(-1) as unknown as {
      _receiver: { _buffers: Buffer[] }
      _socket: Socket
    }
    const held: number[] = []
    connection.on('data', () => held.push(receiver._buffers.reduce((sum, { length }) => sum + length, 0)))
    const back = echoed(socket)
    socket.send(Buffer.alloc(16 * MiB, 7))
    await back
    assert.ok(held.length > 10)
    assert.ok(Math.max(...held) <= 256 * 1024, 'the receiver waits for the whole message')
    socket.terminate()
  })
})
