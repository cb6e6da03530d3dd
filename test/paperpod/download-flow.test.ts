import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { residentBytes } from '../support/resident-bytes.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024

describe('flow control of downloads', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    await server.shell('head -c 200M /dev/zero > large; printf 0123456789 > ten', { sessionId })
  })
  after(() => server.stop())

  /** Opens a connection and sends a number of pipelined requests for a file. */
  const ask = (path: string, { times = 1, extra = '' } = {}): Socket => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const query = String(new URLSearchParams({ path, sessionId }))
    const head = `GET /files/download?${query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n${extra}\r\n`
    socket.write(head.repeat(times))
    return socket
  }
  const openFiles = (name: string) =>
    readdirSync(`/proc/${server.process.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${server.process.pid}/fd/${fd}`).endsWith(`/workspace/${name}`)
      } catch {
        return false
      }
    }).length
  const memoryBytes = () => residentBytes(server.process.pid!)
  const download = (path: string, headers: Record<string, string>) =>
    fetch(`${server.url}/files/download?${String(new URLSearchParams({ path, sessionId }))}`, {
      headers: { authorization: `Bearer ${server.token}`, ...headers },
    })
  const settledMemory = async () => {
    let last = 0
    let still = 0
    await until(
      () => {
        const now = memoryBytes()
        still = now === last ? still + 1 : 0
        last = now
        return still
      },
      (count) => count >= 10,
    )
    return last
  }

  test('clients that do not read cost two buffers each, and no file stays open after they disconnect', async () => {
    const before = memoryBytes()
    const sockets = Array.from({ length: 20 }, () => ask('large'))
    await until(
      () => openFiles('large'),
      (count) => count === 20,
    )
    const grownBy = ((await settledMemory()) - before) / MiB
    assert.ok(grownBy < 40, `it grew by ${grownBy} MiB`)
    for (const socket of sockets) socket.destroy()
    await until(
      () => openFiles('large'),
      (count) => count === 0,
    )
  })

  test('requests that are queued on their connection leave no file open either', async () => {
    const socket = ask('large', { times: 5 })
    await until(
      () => openFiles('large'),
      (count) => count === 5,
    )
    socket.destroy()
    await until(
      () => openFiles('large'),
      (count) => count === 0,
    )
  })

  test('requests on one connection are answered in order', async () => {
    const socket = ask('ten', { times: 3 })
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    await until(
      () => received.match(/\r\n\r\n0123456789/g)?.length,
      (count) => count === 3,
    )
    socket.destroy()
  })

  for (const [what, change] of [
    ['shrinks', 'truncate -s 1000 changing'],
    ['is emptied', ': > changing'],
  ] as const)
    test(`a file that ${what} meanwhile cuts the connection`, async () => {
      await server.shell('head -c 100M /dev/zero > changing', { sessionId })
      const socket = ask('changing')
      const [first] = (await once(socket, 'data')) as [Buffer]
      assert.match(first.toString('latin1'), /content-length: 104857600\r\n/)
      socket.pause()
      await server.shell(change, { sessionId })
      let bytes = 0
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
      socket.resume()
      await once(socket, 'close')
      assert.ok(bytes < 100 * MiB, `${bytes} bytes came`)
      await until(
        () => openFiles('changing'),
        (count) => count === 0,
      )
    })

  test('a file that grows meanwhile is sent with its original length, and the connection continues', async () => {
    await server.shell('head -c 20M /dev/zero > growing', { sessionId })
    const socket = ask('growing')
    const [first] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    await server.shell('head -c 20M /dev/zero >> growing', { sessionId })
    const head = first.indexOf('\r\n\r\n') + 4
    let bytes = first.length - head
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.resume()
    await until(
      () => bytes,
      (count) => count >= 20 * MiB,
    )
    assert.equal(bytes, 20 * MiB)
    socket.removeAllListeners('data').resume()
    socket.write(`GET /health HTTP/1.1\r\nhost: x\r\n\r\n`)
    const [next] = (await once(socket, 'data')) as [Buffer]
    assert.match(next.toString(), /^HTTP\/1\.1 200 OK/)
    socket.destroy()
  })

  test('a file that is removed meanwhile still arrives completely', async () => {
    await server.shell('head -c 20M /dev/zero > removed', { sessionId })
    const response = await download('removed', {})
    await server.shell('rm removed', { sessionId })
    assert.equal((await response.arrayBuffer()).byteLength, 20 * MiB)
  })

  test('a range may cross the bounds of buffers', async () => {
    await server.shell('seq 1000000 > lines', { sessionId })
    const whole = Buffer.from(await (await download('lines', {})).arrayBuffer())
    for (const [start, end] of [
      [0, 524_287],
      [1, 524_288],
      [524_287, 524_288],
      [100_000, 3_000_000],
    ] as const) {
      const part = Buffer.from(await (await download('lines', { range: `bytes=${start}-${end}` })).arrayBuffer())
      assert.ok(part.equals(whole.subarray(start, end + 1)), `${start}-${end}`)
    }
  })

  test('a client that resumes with If-Range gets the rest of an unchanged file, or all of a changed one', async () => {
    await server.post('/files/write', { path: 'resumed', content: '0123456789', sessionId })
    const etag = (await download('resumed', {})).headers.get('etag')!
    const resume = async () => {
      const response = await download('resumed', { range: 'bytes=5-', 'if-range': etag })
      return [response.status, await response.text()]
    }
    assert.deepEqual(await resume(), [206, '56789'])
    await server.post('/files/write', { path: 'resumed', content: 'abcdefghijk', sessionId })
    assert.deepEqual(await resume(), [200, 'abcdefghijk'])
  })

  test('HEAD reads nothing and leaves nothing open', async () => {
    for (const range of [{}, { range: 'bytes=0-9' }] as Record<string, string>[]) {
      const { status, headers } = await server.call(
        'HEAD',
        `/files/download?path=large&sessionId=${sessionId}`,
        undefined,
        {
          headers: range,
        },
      )
      const length = range.range ? 10 : 200 * MiB
      assert.deepEqual([status, headers.get('content-length')], [range.range ? 206 : 200, String(length)])
    }
    await until(
      () => openFiles('large'),
      (count) => count === 0,
    )
  })
})
