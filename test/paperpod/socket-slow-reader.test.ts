import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { residentBytes } from '../support/resident-bytes.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { SocketClient } from './socket-client.ts'

const MiB = 1024 * 1024

describe('a client that does not read', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()
  before(async () => {
    server = await TestServer.start()
    await server.shell('true', { sessionId })
  })
  after(() => server.stop())

  const memory = () => residentBytes(server.process.pid!)

  test('costs the server no memory while 5 GB are printed, and others are answered meanwhile', async () => {
    const other = await SocketClient.open(server)
    for (let count = 0; count < 20; count++) await other.ask({ type: 'exec', sessionId, command: 'echo warm' })
    const before = memory()
    const deaf = await SocketClient.open(server)
    const processId = newSession()
    const command = 'head -c 5000000000 /dev/zero; echo over >&2'
    await deaf.ask({ type: 'process', action: 'start', sessionId, processId, command })
    deaf.begin({ type: 'process', action: 'attach', sessionId, processId, encoding: 'base64' })
    // The same for a process that runs for the client, which waits.
    const held = deaf.begin({ type: 'exec', sessionId, stream: true, timeout: 0, command: 'yes' })
    await deaf.next(({ id, type }) => id === held && type === 'stdout')
    deaf.socket.pause()
    let greatest = 0
    let answers = 0
    const isRunning = async () => {
      const { data } = await other.ask({ type: 'process', action: 'list', sessionId })
      answers++
      greatest = Math.max(greatest, memory())
      return data.processes.find((one: { processId: string }) => one.processId === processId).status as string
    }
    await until(isRunning, (status) => status !== 'running', 120_000)
    assert.ok(greatest - before < 96 * MiB, `${Math.round((greatest - before) / MiB)} MiB more`)
    assert.ok(answers > 10, `another client got ${answers} answers meanwhile`)
    deaf.socket.terminate()
    await other.close()
  })

  test('is not read further when it requests more than it reads', async () => {
    await server.post('/files/write', { path: 'file', content: 'x'.repeat(4_000_000), sessionId })
    const before = memory()
    const deaf = await SocketClient.open(server)
    deaf.socket.pause()
    let asked = 0
    const deadline = Date.now() + 5_000
    // Each request is small, each response has 4 MB.
    while (asked < 2000 && Date.now() < deadline) {
      for (let count = 0; count < 50; count++, asked++) deaf.send({ type: 'read', id: asked, path: 'file', sessionId })
      for (let count = 0; count < 50; count++, asked++) deaf.send('no JSON')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const grown = memory() - before
    assert.ok(grown < 128 * MiB, `${Math.round(grown / MiB)} MiB more after ${asked} requests`)
    // Once the client reads, all requests are answered: those beyond the limit with an error.
    deaf.socket.resume()
    await until(
      () => deaf.received.length,
      (count) => count === asked,
      60_000,
    )
    deaf.received.length = 0
    assert.equal((await deaf.ask({ type: 'ping' })).type, 'pong')
    await deaf.close()
  })
})
