import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { openDatabase } from '../../src/db/open.ts'
import { newSession, testDataDirectory, TestServer, until } from '../support/server.ts'
import { startGuestServer, type GuestServer } from './guest-server.ts'
import { SocketClient } from './socket-client.ts'

describe('an unused sandbox', { timeout: 120_000, concurrency: true }, () => {
  let server: TestServer
  let database: Awaited<ReturnType<typeof openDatabase>>

  before(async () => {
    server = await TestServer.start({ env: { CARREL_IDLE_TIMEOUT_S: '2', CARREL_SWEEP_INTERVAL_MS: '100' } })
    database = await openDatabase(join(testDataDirectory, 'carrel.db'))
  })
  after(async () => {
    await database.destroy()
    await server.stop()
  })

  /** Returns the recorded state: a request over HTTP would count as use. */
  const stateOf = async (sessionId: string) =>
    (
      await database
        .selectFrom('computers')
        .select('state')
        .where('name', '=', sessionId)
        .orderBy('created_at', 'desc')
        .executeTakeFirst()
    )?.state
  const stopped = (sessionId: string) =>
    until(
      () => stateOf(sessionId),
      (state) => state === 'stopped',
      30_000,
    )
  /** Starts a preview whose server ends, so that only the client keeps the sandbox. */
  const withoutServer = async (): Promise<GuestServer> => {
    const guest = await startGuestServer(server)
    const { url } = (await server.post('/expose', { port: 9999, sessionId: guest.sessionId })).body
    await server.post('/process/kill', { processId: 'server-8080', signal: 'SIGKILL', sessionId: guest.sessionId })
    return { ...guest, url }
  }
  const authorization = () => ({ authorization: `Bearer ${server.token}` })

  test('is created from the current image when it is used again', async () => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    await stopped(sessionId)
    const itself = () => database.selectFrom('computers').select('image').where('name', '=', sessionId)
    const { image } = await itself().executeTakeFirstOrThrow()
    await database
      .updateTable('computers')
      .set({ image: 'an image of an earlier version' })
      .where('name', '=', sessionId)
      .execute()
    assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
    assert.equal((await itself().executeTakeFirstOrThrow()).image, image)
  })

  test('is kept by a call of its kernel, not by the kernel; the next call reports that variables are lost', async () => {
    const sessionId = newSession()
    const call = async (code: string) => (await server.post('/interpret', { code, sessionId })).body
    assert.equal((await call('import time\nv = 1\ntime.sleep(4)\nv')).results[0].text, '1')
    await stopped(sessionId)
    const next = await call('"v" in globals()')
    assert.deepEqual(
      [next.results[0].text, next.kernelRestarted, next.restartReason],
      ['False', true, 'stopped'],
      JSON.stringify(next),
    )
  })

  test('is stopped although a WebSocket that used it stays open and sends requests that need no sandbox', async () => {
    const sessionId = newSession()
    const client = await SocketClient.open(server)
    await client.ask({ type: 'exec', sessionId, command: 'true' })
    const pinging = setInterval(() => void client.ask({ type: 'ping' }), 200)
    await stopped(sessionId)
    clearInterval(pinging)
    await client.close()
  })

  test('is not stopped while a terminal is open over a WebSocket', async () => {
    const sessionId = newSession()
    const client = await SocketClient.open(server)
    const id = client.begin({ type: 'exec', sessionId, command: 'read line; echo "still $line"', tty: true })
    const { processId } = (await client.next(({ type }) => type === 'start')).data
    await new Promise((resolve) => setTimeout(resolve, 4000))
    await client.ask({ type: 'process', action: 'stdin', sessionId, processId, text: 'here\r' })
    assert.equal((await client.answerTo(id)).data.result.exitCode, 0)
    assert.match(client.text(id), /still here/)
    await client.close()
  })

  test('is stopped; its previews then answer 503, and start nothing', async () => {
    const guest = await withoutServer()
    await stopped(guest.sessionId)
    const program = await server.preview(guest.url, '/')
    assert.equal(program.status, 503)
    const { code, action, agentInstruction } = JSON.parse(program.body.toString())
    assert.deepEqual([code, action], ['COMPUTER_STOPPED', 'START_COMPUTER'])
    assert.match(agentInstruction, /Run something on it/)
    const browser = await server.preview(guest.url, '/', { headers: { accept: 'text/html,application/xhtml+xml' } })
    assert.deepEqual([browser.status, browser.headers['content-type']], [503, 'text/html; charset=utf-8'])
    assert.match(browser.body.toString(), /<h1>This preview has ended<\/h1>[^]*stopped after 2 seconds without use/)
    const socket = new WebSocket(server.url.replace('http', 'ws'), { headers: { host: new URL(guest.url).host } })
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    assert.equal(answer.statusCode, 503)
    socket.on('error', () => {})
    socket.terminate()
    assert.equal(await stateOf(guest.sessionId), 'stopped')
  })

  test('starts again when used, without its files, and its preview keeps its address', async () => {
    const guest = await withoutServer()
    await server.post('/files/write', { path: 'left', content: 'x', sessionId: guest.sessionId })
    await stopped(guest.sessionId)
    assert.equal((await server.shell('ls', { sessionId: guest.sessionId })).stdout, '')
    const again = await startGuestServer(server, { sessionId: guest.sessionId })
    assert.equal(again.computerId, guest.computerId)
    assert.equal((await server.preview(again.url, '/open')).body.toString(), '0')
    await server.post('/process/kill', { processId: 'server-8080', signal: 'SIGKILL', sessionId: guest.sessionId })
  })

  test('runs while a process runs in it, a stream is read or a preview is open', async () => {
    const [process, stream, preview] = [newSession(), newSession(), await startGuestServer(server)]
    await server.post('/process/start', { command: 'sleep 6', sessionId: process })
    const reading = server.shell('sleep 6', { sessionId: stream })
    const events = httpRequest(`${server.url}/events`, { headers: { host: preview.host } }).end()
    const [answer] = await once(events, 'response')
    answer.resume()
    await server.post('/process/kill', { processId: 'none', sessionId: preview.sessionId })
    await reading
    for (const sessionId of [process, stream, preview.sessionId]) assert.equal(await stateOf(sessionId), 'running')
    events.on('error', () => {})
    answer.on('error', () => {})
    events.destroy()
    await server.post('/process/kill', { processId: 'server-8080', signal: 'SIGKILL', sessionId: preview.sessionId })
    await Promise.all([process, stream, preview.sessionId].map(stopped))
  })

  test('stops although clients disconnected during each kind of request', async () => {
    const left: string[] = []
    const leave = async (path: string, body: unknown, afterMs: number) => {
      const sessionId = newSession()
      left.push(sessionId)
      const abort = new AbortController()
      const sent = fetch(server.url + path.replace('$', sessionId), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...authorization(), 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify({ ...(body as object), sessionId }),
        signal: abort.signal,
      }).catch(() => {})
      setTimeout(() => abort.abort(), afterMs)
      await sent
    }
    // Each request is aborted at several points, some while the sandbox is created.
    const each = [0, 3, 10, 30, 60, 150]
    await Promise.all(
      each.flatMap((afterMs) => [
        leave('/execute', { code: 'sleep 0.1', language: 'shell' }, afterMs),
        leave('/execute/stream', { code: 'for i in 1 2 3; do echo $i; sleep 0.05; done', language: 'shell' }, afterMs),
        leave('/files/download?path=/usr/local/bin/node&sessionId=$', undefined, afterMs),
        leave('/files/write', { path: 'x', content: 'y'.repeat(100_000) }, afterMs),
        leave('/process/start', { command: 'true' }, afterMs),
      ]),
    )
    await until(
      async () => Promise.all(left.map(stateOf)),
      (states) => states.every((state) => state === 'stopped' || state === undefined),
      40_000,
    )
  })

  test('stops although clients left a preview, also one whose server never ends the connection', async () => {
    const guest = await startGuestServer(server)
    // The server belongs to no process of the API, so that it does not keep the sandbox itself.
    await server.post('/process/kill', { processId: 'server-8080', signal: 'SIGKILL', sessionId: guest.sessionId })
    await server.shell('setsid node server.js 8080 127.0.0.1 > /dev/null 2>&1 &', { sessionId: guest.sessionId })
    await until(
      () => server.preview(guest.url, '/open'),
      ({ status }) => status === 200,
    )
    const { hostname, port } = new URL(server.url)
    const sockets = ['/', '/never-ends'].map(
      (path) => new WebSocket(`ws://${hostname}:${port}${path}`, { headers: { host: guest.host } }),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    for (const socket of sockets) socket.terminate()
    for (const path of ['/events', '/source?mib=100', '/body'])
      for (const afterMs of [0, 2, 5, 20]) {
        const raw = connect(Number(port), hostname)
        raw.on('error', () => {})
        const method = path === '/body' ? 'POST' : 'GET'
        raw.write(
          `${method} ${path} HTTP/1.1\r\nhost: ${guest.host}\r\ncontent-length: ${method === 'POST' ? 99 : 0}\r\n\r\n`,
        )
        setTimeout(() => raw.destroy(), afterMs)
        await once(raw, 'close')
      }
    await stopped(guest.sessionId)
  })
})
