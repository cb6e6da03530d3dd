import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Carrel } from './index.ts'
import type { ExecuteEvent } from './index.ts'
import { FakeFailure } from './testing/fake-failure.ts'
import { FakeServer } from './testing/fake-server.ts'

function clientOf(server: FakeServer) {
  return new Carrel({ baseUrl: server.url, token: server.token })
}

test('execute() returns output and exit code; a program that fails is no error', async () => {
  await using server = await FakeServer.start()
  const { status, processId, result } = await clientOf(server).execute('echo out; echo err >&2; exit 3')
  assert.equal(status, 'completed')
  assert.equal(processId, 'proc-1')
  assert.equal(result.stdout, 'out\n')
  assert.equal(result.stderr, 'err\n')
  assert.equal(result.exitCode, 3)
})

test('execute() sends language, environment, folder and time limit', async () => {
  await using server = await FakeServer.start()
  const options = { language: 'python', env: { A: '1' }, cwd: '/tmp', timeoutMs: 5000 } as const
  const { result } = await clientOf(server).execute('import os; print(os.environ["A"], os.getcwd())', options)
  assert.equal(result.stdout, '1 /tmp\n')
  assert.deepEqual(server.requests[0]?.body, {
    code: 'import os; print(os.environ["A"], os.getcwd())',
    language: 'python',
    timeout: 5000,
    env: { A: '1' },
    cwd: '/tmp',
  })
})

test('execute() without a limit, or with one that is too long for one request, uses an exec session', async () => {
  for (const timeoutMs of [3_600_000, 0]) {
    await using server = await FakeServer.start()
    const { status, processId, result } = await clientOf(server).execute('echo long; exit 4', { timeoutMs })
    assert.equal(server.requestsTo('/execute').length, 0)
    assert.deepEqual(
      { status, processId, stdout: result.stdout, exitCode: result.exitCode },
      { status: 'completed', processId: 'proc-1', stdout: 'long\n', exitCode: 4 },
    )
  }
})

test('executeStream() yields events in order and ends with complete', async () => {
  await using server = await FakeServer.start()
  const events: ExecuteEvent[] = await Array.fromAsync(clientOf(server).executeStream('printf é; exit 2'))
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'stdout', 'complete'],
  )
  assert.deepEqual(events[1], { type: 'stdout', data: 'é', cursor: '2' })
  assert.deepEqual(events[2], {
    type: 'complete',
    exitCode: 2,
    signal: null,
    reason: 'exited',
    truncated: false,
    durationMs: 1,
    cursor: '2',
  })
})

test('executeStream() throws the error event of the server', async () => {
  await using server = await FakeServer.start()
  server.failNext('stream', new FakeFailure(507, 'DISK_FULL', 'The disk is full'))
  await assert.rejects(Array.fromAsync(clientOf(server).executeStream('true')), {
    name: 'CarrelApiError',
    code: 'DISK_FULL',
    message: 'The disk is full',
  })
})

test('executeStream() throws when the stream breaks off instead of inventing an exit', async () => {
  await using server = await FakeServer.start()
  server.cutAfter(1)
  await assert.rejects(Array.fromAsync(clientOf(server).executeStream('echo x; read -t 5 line')), {
    name: 'CarrelConnectionError',
  })
})
