import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'
import { SocketClient } from './socket-client.ts'

describe('code whose client leaves', { timeout: 120_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  /** Code that writes a file when it runs, then goes on with a child. */
  const endless = (mark: string) => `touch ${mark}; sh -c 'sleep 1000; : ${mark}'; sleep 1000; : ${mark}`
  const shell = async (code: string) => (await server.shell(code, { sessionId })).stdout as string
  const hasBegun = (mark: string) =>
    until(
      () => shell('ls'),
      (names) => names.split('\n').includes(mark),
    )

  /** Returns the bytes of a request, which is sent by hand so that the connection ends as the test says. */
  function requestOf(path: string, body: Record<string, unknown>, headers: Record<string, string> = {}): string {
    const text = JSON.stringify({ language: 'shell', sessionId, ...body })
    const head = Object.entries({
      host: 'localhost',
      authorization: `Bearer ${server.token}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...headers,
    })
    return `POST ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`
  }

  function send(...requests: string[]): Socket {
    const { hostname, port } = new URL(server.url)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    collect(socket)
    socket.write(requests.join(''))
    return socket
  }

  async function isEnded(mark: string): Promise<void> {
    const { processes } = await until(
      () => server.done('/process/list', { sessionId, all: true }),
      (answer) =>
        answer.processes.some(
          ({ command, status }: Record<string, string>) => command!.includes(mark) && status !== 'running',
        ),
    )
    const { status, reason } = processes.find(({ command }: Record<string, string>) => command!.includes(mark))
    assert.deepEqual([status, reason], ['killed', 'disconnected'])
    // The brackets keep the search from finding itself.
    assert.equal(await shell(`pgrep -f '${mark.slice(0, -1)}[${mark.slice(-1)}]' || true`), '')
  }

  for (const path of ['/execute', '/execute/stream'])
    test(`ends with ${path}, with everything that it started, and its record says why`, async () => {
      const mark = newSession()
      const socket = send(requestOf(path, { code: `trap '' HUP; ${endless(mark)}` }))
      await hasBegun(mark)
      socket.destroy()
      await isEnded(mark)
    })

  test('ends where the request waits behind another one of its connection', async () => {
    const [first, second] = [newSession(), newSession()]
    const code = [first, second].map(endless)
    const socket = send(...code.map((each) => requestOf('/execute', { code: each })))
    await hasBegun(first)
    await hasBegun(second)
    socket.destroy()
    await isEnded(first)
    await isEnded(second)
  })

  test('ends with the WebSocket of an exec message; a process of process start goes on', async () => {
    const [exec, started] = [newSession(), newSession()]
    const client = await SocketClient.open(server)
    client.begin({ type: 'exec', command: endless(exec), sessionId, timeout: 0 })
    await client.ask({ type: 'process', action: 'start', command: endless(started), processId: started, sessionId })
    await hasBegun(exec)
    await hasBegun(started)
    await client.close()
    await isEnded(exec)
    const { process } = await server.done('/process/get', { processId: started, sessionId })
    assert.equal(process.status, 'running')
    await server.done('/process/kill', { processId: started, signal: 'SIGKILL', sessionId })
  })

  test('goes on when the request has an Idempotency-Key', async () => {
    const mark = newSession()
    const headers = { 'idempotency-key': newSession() }
    const code = `touch ${mark}; until [ -e ${mark}-go ]; do sleep 0.05; done; echo done`
    const socket = send(requestOf('/execute', { code }, headers))
    await hasBegun(mark)
    socket.destroy()
    await shell(`touch ${mark}-go`)
    const { body } = await until(
      () => server.post('/execute', { language: 'shell', sessionId, code }, { headers }),
      ({ status }) => status !== 409,
    )
    assert.deepEqual([body.status, body.result.stdout], ['completed', 'done\n'])
  })

  test('is not ended by a client that leaves once it has its answer, nor is what it left running', async () => {
    const mark = newSession()
    const socket = send(requestOf('/execute', { code: `(sleep 1000; : ${mark}) >/dev/null 2>&1 & echo begun` }))
    const text = await textOf(socket, (text) => text.includes('begun'))
    assert.match(text, /^HTTP\/1\.1 200 /)
    socket.destroy()
    const { body } = await server.post('/process/list', { sessionId, all: true })
    const { status } = body.processes.find(({ command }: Record<string, string>) => command!.includes(mark))
    assert.equal(status, 'completed')
    assert.match(await shell(`pgrep -f '${mark.slice(0, -1)}[${mark.slice(-1)}]'`), /^\d+\n/)
  })

  for (const [path, answer] of [
    ['/execute', /HTTP\/1\.1 200 [^]*"stdout":"late\\n"/],
    ['/execute/stream', /event: stdout\ndata: {"type":"stdout","data":"late\\n"}[^]*event: complete/],
  ] as const)
    test(`is answered by ${path} where its client has only closed its own side, and ends when that leaves`, async () => {
      const mark = newSession()
      const socket = send(
        requestOf(path, { code: `touch ${mark}; until [ -e ${mark}-go ]; do sleep 0.05; done; echo late` }),
      )
      socket.end()
      await hasBegun(mark)
      // Longer than the first probes, which a client that has left does not survive.
      await textOf(socket, (text) => [...text.matchAll(/102 Processing|\r\n:\n\n/g)].length > 1)
      await shell(`touch ${mark}-go`)
      assert.match(await textOf(socket, (text) => answer.test(text)), answer)

      const left = newSession()
      const other = send(requestOf(path, { code: endless(left) }))
      other.end()
      await hasBegun(left)
      other.destroy()
      await isEnded(left)
    })
})

const received = new WeakMap<Socket, string>()

/** Collects what a connection receives, so that nothing is lost while nobody looks at it. */
function collect(socket: Socket): void {
  received.set(socket, '')
  socket.on('data', (data: Buffer) => received.set(socket, received.get(socket)! + data.toString()))
  socket.on('error', () => {})
}

/** Returns what a connection has received once that is `enough`. */
function textOf(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  return until(() => received.get(socket)!, enough)
}
