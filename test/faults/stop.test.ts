import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { readFrames } from '../paperpod/sse-frames.ts'
import {
  newSession,
  serverEnvironment,
  serverProgram,
  testDataDirectory,
  TestServer,
  until,
} from '../support/server.ts'
import { computerRows, hostTraces, mountedRoots } from './host-traces.ts'

describe('SIGTERM', { timeout: 300_000 }, () => {
  let server: TestServer
  beforeEach(async () => {
    server = await TestServer.start({ env: { CARREL_LOG_LEVEL: 'info' }, limits: { drainMs: 2000, stopMs: 5000 } })
  })
  afterEach(() => server.stop())

  const running = (sessionId: string, count: number) =>
    until(
      async () => (await server.post('/process/list', { sessionId })).body.processes as { status: string }[],
      (processes) => processes.filter(({ status }) => status === 'running').length === count,
    )
  /** A server that takes longer than `limits.stopMs` ends with 1. */
  const stopped = async () => assert.equal(await server.stop('SIGTERM'), 0)
  const raw = async (request: string): Promise<Socket> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname).on('error', () => {})
    await once(socket, 'connect')
    socket.write(`${request}\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n\r\n`)
    return socket
  }
  const exec = async (message: Record<string, unknown>): Promise<WebSocket> => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/exec`, {
      headers: { authorization: `Bearer ${server.token}` },
    })
    await once(socket, 'open')
    socket.send(JSON.stringify(message))
    return socket
  }

  test('answers long requests with the id of their process, which continues', async () => {
    const sessionId = newSession()
    await server.shell('head -c 200M /dev/zero > /workspace/large', { sessionId })
    const answer = server.post('/execute', {
      code: 'echo early; sleep 6; echo late; exit 3',
      language: 'shell',
      sessionId,
    })
    const response = await fetch(`${server.url}/execute/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'echo one; sleep 6; echo two; exit 4', language: 'shell', sessionId }),
    })
    const frames = Array.fromAsync(readFrames(response))
    await running(sessionId, 2)
    const unread = await raw(`GET /files/download?path=/workspace/large&sessionId=${sessionId} HTTP/1.1`)
    unread.pause()
    await until(
      () => unread.readableLength + unread.bytesRead,
      (bytes) => bytes > 0,
    )

    await stopped()
    const { status, body } = await answer
    assert.deepEqual([status, body.code, body.retryable], [503, 'PROCESS_GOES_ON', false])
    const events = await frames
    assert.deepEqual(
      events.map(({ event }) => event),
      ['start', 'stdout', 'error'],
    )
    const { data } = events.at(-1)!
    assert.equal(data.code, 'PROCESS_GOES_ON')
    assert.equal(data.processId, events[0]!.data.processId)
    assert.equal(String(data.cursor), events[1]!.id)

    server = await TestServer.start()
    const endOf = async (processId: string, cursor: number) => {
      const { body } = await until(
        () => server.post('/process/get', { sessionId, processId, cursor }),
        (answer) => answer.body.process.status !== 'running',
      )
      return [body.process.exitCode, body.logs.stdout]
    }
    assert.deepEqual(await endOf(body.processId, 0), [3, 'early\nlate\n'])
    assert.deepEqual(await endOf(data.processId, data.cursor), [4, 'two\n'])
    unread.destroy()
  })

  test('does not wait for idle clients', async () => {
    const sessionId = newSession()
    const idle = await raw('GET /health HTTP/1.1')
    await once(idle, 'data')
    const unfinished = await raw('POST /files/upload HTTP/1.1\r\nexpect: 100-continue')
    unfinished.destroy()
    const socket = await exec({ type: 'start', argv: ['sleep', '100'], sessionId })
    await once(socket, 'message')
    const silent = await exec({ type: 'start', argv: ['sleep', '100'], sessionId })
    await once(silent, 'message')
    silent.pause()
    const closed = once(socket, 'close')
    await stopped()
    assert.match(server.log(), /stopping; computers keep running/)
    assert.doesNotMatch(server.log(), /ending requests that are still running/)
    assert.equal((await closed)[0], 1012, 'the client is asked to reconnect')
    idle.destroy()
    silent.terminate()
  })

  test('refuses a request on a connection that is still open, in the error envelope', async () => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    const answer = server.post('/execute', { code: 'sleep 1; echo whole', language: 'shell', sessionId })
    await running(sessionId, 1)
    // A request with an incomplete head keeps its connection from being idle.
    const socket = await raw('GET /health HTTP/1.1')
    await once(socket, 'data')
    socket.write('POST /process/list HTTP/1.1\r\nhost: x\r\n')
    const end = stopped()
    await until(
      async () =>
        fetch(`${server.url}/health`).then(
          () => false,
          () => true,
        ),
      Boolean,
    )
    socket.write(`authorization: Bearer ${server.token}\r\ncontent-length: 0\r\n\r\n`)
    const [late] = (await once(socket, 'data')) as [Buffer]
    assert.match(late.toString(), /^HTTP\/1\.1 503 [\s\S]*"code":"UNAVAILABLE"/)
    assert.equal((await answer).body.result.stdout, 'whole\n')
    await end
  })
})

describe('SIGTERM during the start', { timeout: 300_000 }, () => {
  let recipe: string
  before(async () => {
    recipe = join(await mkdtemp(join(tmpdir(), 'carrel-recipe-')), 'half')
    await cp(new URL('../../images/slim', import.meta.url), recipe, { recursive: true })
    await writeFile(join(recipe, 'packages'), 'bash\ncoreutils\npasswd\nsudo\nlibatomic1\nlibstdc++6\n')
  })
  after(() => rm(join(recipe, '..'), { recursive: true }))

  /** Starts a server, sends SIGTERM as soon as `seen` resolves, and returns how the server ended. */
  async function endOf(env: Record<string, string>, seen: (stderr: () => string) => Promise<unknown>) {
    const child = spawn(process.execPath, [serverProgram], {
      env: { ...serverEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    const ended = once(child, 'exit')
    await Promise.race([seen(() => stderr), ended])
    child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    assert.equal(code, 0, stderr)
    assert.ok(!stdout.includes('ready at'), 'it was ready already')
  }

  test('while the image is built, ends in order, and nothing unfinished is left', async () => {
    await endOf({ CARREL_IMAGE: recipe }, (stderr) =>
      until(() => /Extracting essential packages/.test(stderr()), Boolean, 60_000),
    )
    const images = await readdir(join(testDataDirectory, 'pool/images'))
    assert.deepEqual(
      images.filter((name) => name.startsWith('half') || name.startsWith('.partial')),
      [],
    )
    assert.ok(!mountedRoots().mounts.includes('half'))
  })

  test('during the self-test, ends in order, and the computer of the self-test is gone', async () => {
    const port = await freePort()
    const env = { CARREL_PORT: String(port), CARREL_NETWORK_POOL: '0' }
    await endOf(env, () => until(() => listens(port), Boolean))
    assert.deepEqual(
      (await computerRows()).filter(({ name }) => name?.startsWith('start-up-proof')),
      [],
    )
    const server = await TestServer.start({ env: { CARREL_NETWORK_POOL: '0' } })
    try {
      const rows = (await computerRows()).filter(({ state }) => state === 'running')
      assert.deepEqual(hostTraces().containers, rows.map(({ id }) => id).toSorted())
    } finally {
      await server.stop()
    }
  })
})

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
