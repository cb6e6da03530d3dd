import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { deferred } from './deferred.ts'
import { Carrel, CarrelApiError, CarrelConnectionError } from './index.ts'
import type { ExecSession } from './index.ts'
import { FakeFailure } from './testing/fake-failure.ts'
import { FakeServer } from './testing/fake-server.ts'

function clientOf(server: FakeServer, more: object = {}) {
  return new Carrel({ baseUrl: server.url, token: server.token, WebSocket, ...more })
}

/** Reads everything and returns one text for each channel. */
async function readAll(session: ExecSession) {
  const { stdout, stderr, exitCode } = await session.result()
  return { stdout, stderr, exitCode }
}

/** Reads until the text has arrived. */
async function readUntil(output: AsyncIterator<{ data: Uint8Array }>, expected: string) {
  let text = ''
  while (!text.includes(expected)) {
    const { value, done } = await output.next()
    assert.ok(!done, `The output ended before "${expected}": ${JSON.stringify(text)}`)
    text += Buffer.from(value.data).toString()
  }
}

for (const [name, constructor] of Object.entries({ ws: WebSocket, default: undefined, global: globalThis.WebSocket })) {
  test(`a command gives its output and its exit code (WebSocket: ${name})`, async () => {
    await using server = await FakeServer.start()
    const session = await clientOf(server, { WebSocket: constructor }).exec({
      command: 'echo out; echo err >&2; exit 3',
    })
    assert.equal(session.processId, 'proc-1')
    assert.ok(session.pid > 0)
    assert.deepEqual(await readAll(session), { stdout: 'out\n', stderr: 'err\n', exitCode: 3 })
    assert.deepEqual(await session.exit, { exitCode: 3, signal: null, reason: 'exited', truncated: false })
  })

  test(`input arrives byte for byte and ends (WebSocket: ${name})`, async () => {
    await using server = await FakeServer.start()
    const bytes = Buffer.alloc(
      3_000_000,
      Uint8Array.from({ length: 251 }, (_, index) => index),
    )
    const session = await clientOf(server, { WebSocket: constructor }).exec({ command: 'sha256sum', stdin: true })
    const result = readAll(session)
    assert.equal(await session.write(bytes), true)
    session.end()
    assert.equal((await result).stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`)
  })

  test(`a wrong token is refused (WebSocket: ${name})`, async () => {
    await using server = await FakeServer.start()
    const client = clientOf(server, { WebSocket: constructor, token: 'wrong' })
    // The standard WebSocket does not report why a handshake failed.
    const expected = name === 'global' ? { name: 'CarrelConnectionError' } : { code: 'UNAUTHENTICATED', status: 401 }
    await assert.rejects(client.exec({ command: 'true' }), expected)
  })
}

test('the first message carries all options', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server, { sessionId: 's1' }).exec({
    argv: ['sh', '-c', 'echo "$A"; pwd'],
    env: { A: 'x y' },
    cwd: '/tmp',
    user: 'nobody',
    tty: { cols: 100, rows: 40 },
    timeoutMs: 9000,
  })
  assert.equal((await readAll(session)).stdout, 'x y\n/tmp\n')
  assert.deepEqual(server.execMessages[0], {
    type: 'start',
    argv: ['sh', '-c', 'echo "$A"; pwd'],
    sessionId: 's1',
    env: { A: 'x y' },
    cwd: '/tmp',
    user: 'nobody',
    stdin: false,
    tty: { cols: 100, rows: 40 },
    timeoutMs: 9000,
  })
})

test("a refused start rejects with the server's message", async () => {
  await using server = await FakeServer.start()
  server.failNext('start', new FakeFailure(404, 'NOT_FOUND', 'No program "nope"'))
  await assert.rejects(clientOf(server).exec({ argv: ['nope'] }), (error) => {
    assert.ok(error instanceof CarrelApiError)
    assert.deepEqual([error.code, error.message], ['NOT_FOUND', 'No program "nope"'])
    return true
  })
})

test('a busy server is retried', async () => {
  await using server = await FakeServer.start()
  server.failNext('/v1/exec', new FakeFailure(503, 'UNAVAILABLE', 'Busy', { retryAfter: 0 }))
  const session = await clientOf(server).exec({ command: 'echo here' })
  assert.equal((await readAll(session)).stdout, 'here\n')
})

test('an interrupted start is not repeated, as the program may be running', async () => {
  await using server = await FakeServer.start()
  server.failNext('start', 'cut')
  await assert.rejects(clientOf(server).exec({ command: 'true' }), { name: 'CarrelConnectionError' })
  assert.equal(server.execMessages.length, 1)
})

test('output is neither lost nor repeated over many lost connections', async () => {
  await using server = await FakeServer.start()
  server.maxExecMessageBytes = 999
  server.cutAfter(1, 10_000, 500, 1, 30_000, 2, 200_000)
  const states: string[] = []
  const session = await clientOf(server).exec({
    command: 'seq 1 60000; seq 1 20000 >&2; seq 60001 80000',
    onConnection: (state) => states.push(state),
  })
  const { stdout, stderr, exitCode } = await readAll(session)
  const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('')
  assert.ok(stdout === lines(1, 80_000), 'stdout is what was written')
  assert.ok(stderr === lines(1, 20_000), 'stderr is what was written')
  assert.equal(exitCode, 0)
  assert.equal(server.execMessages.filter(({ type }) => type === 'attach').length, 7)
  assert.deepEqual(states, Array.from({ length: 7 }, () => ['lost', 'restored']).flat())
})

test('a session survives a short outage of the server', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'echo before; read line; echo after', stdin: true })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'before')
  await server.stopListening()
  server.processes.get('proc-1')?.endInput()
  await server.processes.get('proc-1')?.ended
  await server.listen()
  await readUntil(output, 'after')
  assert.equal((await session.exit).exitCode, 0)
})

test('a session that is attached again names its sandbox', async () => {
  await using server = await FakeServer.start()
  server.cutAfter(1)
  const session = await clientOf(server).exec({ command: 'echo text', sessionId: 's1' })
  assert.equal((await readAll(session)).stdout, 'text\n')
  const attach = server.execMessages.find(({ type }) => type === 'attach')
  assert.deepEqual(attach, { type: 'attach', processId: 'proc-1', cursor: 0, sessionId: 's1' })
})

test('input and signals sent while the connection is lost arrive afterwards', async () => {
  await using server = await FakeServer.start()
  const command =
    'trap "caught=7" USR1; echo ready; read line; echo "got $line"; until ((caught)); do sleep 0.02; done; exit 7'
  const lost = deferred()
  const onConnection = (state: string) => state === 'lost' && lost.resolve()
  const session = await clientOf(server).exec({ command, stdin: true, onConnection })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'ready')
  await server.stopListening()
  await lost.promise
  const written = session.write('hello\n')
  session.signal('SIGUSR1', 'process')
  await server.listen()
  assert.equal(await written, true)
  await readUntil(output, 'got hello')
  assert.equal((await session.exit).exitCode, 7)
})

test('an end of input sent while the connection is lost arrives afterwards', async () => {
  await using server = await FakeServer.start()
  const lost = deferred()
  const onConnection = (state: string) => state === 'lost' && lost.resolve()
  const session = await clientOf(server).exec({ command: 'echo ready; cat; echo done', stdin: true, onConnection })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'ready')
  await server.stopListening()
  await lost.promise
  session.end()
  await server.listen()
  await readUntil(output, 'done')
})

test('a connection that is lost with input in transit fails, and says so', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'echo ready; sleep 60', stdin: true })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'ready')
  // More than pipes and sockets hold, so that some of it must be in transit.
  const written = session.write(Buffer.alloc(32 * 1024 * 1024))
  await once(server, 'exec-input')
  for (const socket of server.execConnections) socket.terminate()
  await assert.rejects(output.next(), { name: 'CarrelConnectionError', message: /while input was in transit.*proc-1/ })
  assert.equal(await written, false)
})

test('a session continues after a connection is lost whose input had arrived', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'read a; echo "1 $a"; read b; echo "2 $b"', stdin: true })
  const output = session[Symbol.asyncIterator]()
  await session.write('one\n')
  await readUntil(output, '1 one')
  for (const socket of server.execConnections) socket.terminate()
  await server.execMessage('attach')
  await session.write('two\n')
  await readUntil(output, '2 two')
  assert.equal((await session.exit).exitCode, 0)
})

test('a connection that has silently died is replaced', async (t) => {
  await using server = await FakeServer.start()
  t.mock.timers.enable({ apis: ['setInterval'] })
  const session = await clientOf(server).exec({ command: 'echo ready; read line; echo "got $line"', stdin: true })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'ready')
  const [dead] = server.execConnections
  dead?.pause()
  const attached = server.execMessage('attach')
  t.mock.timers.tick(15_000)
  t.mock.timers.tick(15_000)
  await attached
  await session.write('hello\n')
  await readUntil(output, 'got hello')
  dead?.terminate()
})

test('a process that is gone after a lost connection is an error, not a wait', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'read line', stdin: true })
  server.processes.get('proc-1')?.endInput()
  server.processes.clear()
  for (const socket of server.execConnections) socket.terminate()
  await assert.rejects(session.exit, { code: 'NOT_FOUND' })
  await assert.rejects(readAll(session), { code: 'NOT_FOUND' })
})

test('a server that stays away ends the session after the time for reconnecting', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'read line', stdin: true, reconnectMs: 100 })
  await server.stopListening()
  await assert.rejects(session.exit, (error) => error instanceof CarrelConnectionError && error.code === 'ECONNREFUSED')
})

test('a slow reader slows the program down and loses nothing', async () => {
  await using server = await FakeServer.start()
  const command = 'head -c 60000000 /dev/zero'
  const session = await clientOf(server).exec({ command })
  const output = session[Symbol.asyncIterator]()
  await output.next()
  await server.processes.get('proc-1')?.ended
  const [connection] = server.execConnections
  assert.ok((connection?.bufferedAmount ?? 0) > 0, 'the server waits for the reader')
  const { stdout } = await session.result()
  assert.ok(stdout.length > 59_000_000)
})

test('a signal reaches the process tree, and the exit names it', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'sleep 60 & echo ready; wait' })
  const output = session[Symbol.asyncIterator]()
  await readUntil(output, 'ready')
  session.signal('SIGKILL')
  assert.deepEqual(await session.exit, { exitCode: 137, signal: 'SIGKILL', reason: 'signalled', truncated: false })
  assert.deepEqual(server.execMessages.at(-1), { type: 'signal', signal: 'SIGKILL', scope: 'tree' })
})

test('a resize is sent, and sent again on the next connection', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'read line', stdin: true, tty: { cols: 80, rows: 24 } })
  session.resize(132, 50)
  assert.deepEqual(await server.execMessage('resize'), { type: 'resize', cols: 132, rows: 50 })
  for (const socket of server.execConnections) socket.terminate()
  assert.deepEqual(await server.execMessage('resize'), { type: 'resize', cols: 132, rows: 50 })
  session.signal('SIGKILL')
  await session.exit
})

test('an abort detaches from the program, which keeps running', async () => {
  await using server = await FakeServer.start()
  const abort = new AbortController()
  const session = await clientOf(server).exec({ command: 'read line', stdin: true, signal: abort.signal })
  abort.abort(new Error('enough'))
  await assert.rejects(readAll(session), { message: 'enough' })
  assert.equal(server.processes.get('proc-1')?.exit, undefined)
})

test('close() detaches once everything that was written has been sent', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: 'read line; echo "$line" > /dev/null', stdin: true })
  await session.write('last words\n')
  session.signal('SIGCONT')
  const signalled = server.execMessage('signal')
  await session.close()
  await signalled
  assert.equal(Buffer.concat(server.processes.get('proc-1')?.input ?? []).toString(), 'last words\n')
})

test('attach() reads the output of a process that has ended', async () => {
  await using server = await FakeServer.start()
  const client = clientOf(server)
  const { processId } = await client.processes.start('printf abcdef; exit 5')
  await server.processes.get(processId)?.ended
  assert.deepEqual(await readAll(await client.attach(processId)), { stdout: 'abcdef', stderr: '', exitCode: 5 })
  assert.equal((await readAll(await client.attach(processId, { cursor: 4 }))).stdout, 'ef')
})

test('attach() without following ends with the output so far, also over lost connections', async () => {
  await using server = await FakeServer.start()
  const client = clientOf(server)
  const { processId } = await client.processes.start('seq 1 20000; exec sleep 60')
  const process = server.processes.get(processId)
  const isPrinted = () => process!.text('stdout').endsWith('20000\n')
  while (!isPrinted()) await once(process!, 'grew')
  server.cutAfter(1000, 50_000)
  const session = await client.attach(processId, { follow: false })
  let text = ''
  for await (const { data } of session) text += Buffer.from(data).toString()
  assert.equal(text, process!.text('stdout'))
  await assert.rejects(session.exit, /is not followed/)
  const rest = await client.attach(processId, { follow: false, cursor: session.cursor })
  for await (const _ of rest) assert.fail('nothing is repeated')
})

test('attach() to an unknown process rejects while reading', async () => {
  await using server = await FakeServer.start()
  await assert.rejects(readAll(await clientOf(server).attach('none')), { code: 'NOT_FOUND' })
})

test('result() has the exact bytes of output that is not text', async () => {
  await using server = await FakeServer.start()
  const session = await clientOf(server).exec({ command: "printf '\\xff\\x00'; printf text >&2" })
  const { stdoutBase64, stderr, stderrBase64 } = await session.result()
  assert.equal(stdoutBase64, '/wA=')
  assert.deepEqual([stderr, stderrBase64], ['text', undefined])
})

test('a command together with an argv is refused before anything is sent', async () => {
  await using server = await FakeServer.start()
  await assert.rejects(clientOf(server).exec({ command: 'x', argv: ['y'] }), { name: 'TypeError' })
  assert.equal(server.execMessages.length, 0)
})
