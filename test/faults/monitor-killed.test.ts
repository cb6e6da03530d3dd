import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDatabase } from '../../src/db/open.ts'
import { newSession, testDataDirectory, TestServer, until } from '../support/server.ts'
import { settles } from '../support/settles.ts'
import { computerRow, computerRows, monitorPid, paths, tracesOf } from './host-traces.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

test('when the monitor is killed its computers are stopped, nothing hangs, and the next use works', async () => {
  const [first, second] = [newSession(), newSession()]
  await server.shell('echo old > /workspace/file', { sessionId: first })
  await server.shell('true', { sessionId: second })
  const { id } = (await computerRow(first))!
  await server.post('/process/start', { command: 'sleep 1000', processId: 'sleeper', sessionId: first, timeout: 0 })
  const inFlight = server.post('/execute', {
    code: 'sleep 1000',
    language: 'shell',
    sessionId: second,
    timeout: 60_000,
  })
  await until(
    async () => (await server.post('/process/list', { sessionId: second })).body.processes,
    (processes) => processes.some(({ status }: { status: string }) => status === 'running'),
  )
  const pid = monitorPid()
  process.kill(pid, 'SIGKILL')

  const { status, body } = await settles(inFlight, 'the request in flight')
  assert.equal(status, 200)
  assert.deepEqual([body.status, body.result.reason, body.result.exitCode], ['lost', 'lost', null])
  await until(
    () => computerRow(first),
    (row) => row?.state === 'stopped',
  )
  const row = await computerRow(first)
  assert.deepEqual([row?.id, row?.state_reason], [id, 'lost'])
  assert.deepEqual(
    await until(
      () => tracesOf(id),
      (traces) => traces.length === 0,
    ),
    [],
  )
  const { processes } = (await server.post('/process/list', { sessionId: first })).body
  assert.deepEqual(processes.at(-1)?.reason, 'lost')

  const again = await settles(server.shell('cat /workspace/file; echo again', { sessionId: first }))
  assert.equal(again.stdout, 'again\n')
  assert.equal((await computerRow(first))?.id, id)
  assert.notEqual(monitorPid(), pid)
})

test('requests end while the monitor is killed again and again, and later ones work', async () => {
  const sessions = Array.from({ length: 4 }, newSession)
  const codes: number[] = []
  let isActive = true
  const clients = sessions.map(async (sessionId) => {
    while (isActive) {
      const { status, body } = await settles(
        server.post('/execute', { code: 'echo fine', language: 'shell', sessionId }),
        'a request',
      )
      codes.push(status)
      if (status !== 200) assert.ok([409, 503].includes(status), JSON.stringify(body))
    }
  })
  for (let round = 0; round < 4; round++) {
    const before = codes.filter((code) => code === 200).length
    await until(
      () => codes.filter((code) => code === 200).length,
      (count) => count > before + 4,
    )
    process.kill(monitorPid(), 'SIGKILL')
  }
  isActive = false
  await Promise.all(clients)
  for (const sessionId of sessions)
    await until(
      async () =>
        (await server.post('/execute', { code: 'echo fine', language: 'shell', sessionId })).body?.result?.stdout,
      (stdout) => stdout === 'fine\n',
    )
})

test('a server that cannot start a monitor tries again, and works once it can', async () => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const socket = join(paths.runtime, 'monitor.sock')
  renameSync(socket, `${socket}.away`)
  mkdirSync(socket)
  process.kill(monitorPid(), 'SIGKILL')
  await until(server.log, (log) => log.includes('cannot start the process monitor'))
  assert.equal((await server.post('/execute', { code: 'true', language: 'shell', sessionId })).status, 503)
  rmdirSync(socket)
  rmSync(`${socket}.away`)
  await until(
    async () =>
      (await server.post('/execute', { code: 'echo fine', language: 'shell', sessionId })).body?.result?.stdout,
    (stdout) => stdout === 'fine\n',
  )
  assert.ok(!server.log().includes('unhandled rejection'), server.log())
})

test('a stop that fails leaves the computer in its actual state, and the next use works', async (t) => {
  await server.stop()
  server = await TestServer.start({ env: { CARREL_IDLE_TIMEOUT_S: '1', CARREL_SWEEP_INTERVAL_MS: '100' } })
  await until(computerRows, (rows) => !rows.some(({ state }) => state === 'running'))
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const pid = monitorPid()
  t.after(async () => {
    killQuietly(pid)
    await server.stop()
    server = await TestServer.start()
  })
  process.kill(pid, 'SIGSTOP')
  await until(
    () => computerRow(sessionId),
    (row) => row?.state === 'stopping',
  )
  process.kill(pid, 'SIGKILL')
  await until(
    () => computerRow(sessionId),
    (row) => row?.state === 'stopped',
  )
  assert.deepEqual(tracesOf((await computerRow(sessionId))!.id), [])
  assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
})

test('when the monitor was killed while no server ran, the next server reports its processes as lost', async () => {
  const sessionId = newSession()
  await server.post('/process/start', {
    command: 'echo hello; sleep 1000',
    processId: 'sleeper',
    sessionId,
    timeout: 0,
  })
  const { id } = (await computerRow(sessionId))!
  await until(
    async () => (await server.post('/process/get', { sessionId, processId: 'sleeper' })).body.logs.stdout,
    (stdout) => stdout === 'hello\n',
  )
  await server.stop('SIGKILL')
  process.kill(monitorPid(), 'SIGKILL')
  server = await TestServer.start()
  // The processes end with their monitor, which may take until the server is ready.
  await until(
    async () => [(await computerRow(sessionId))?.state, tracesOf(id).length],
    ([state, traces]) => state === 'stopped' && traces === 0,
  )
  const { body } = await server.post('/process/get', { sessionId, processId: 'sleeper' })
  assert.deepEqual([body.process.status, body.process.exitCode], ['lost', null])
  assert.deepEqual(body.logs, { stdout: 'hello\n', stderr: '', cursor: 11, truncated: true, done: true })
  assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
})

test('output of lost processes that was written stays, and output in memory is reported as missing', async () => {
  const [read, held, flood] = [newSession(), newSession(), newSession()]
  const start = (sessionId: string, command: string) =>
    server.post('/process/start', { command, processId: 'lost', sessionId, timeout: 0 })
  const get = async (sessionId: string) => (await server.post('/process/get', { sessionId, processId: 'lost' })).body
  await start(read, 'echo out; echo err >&2; sleep 1000')
  await until(
    () => get(read),
    ({ logs }) => logs.stdout + logs.stderr === 'out\nerr\n',
  )
  await start(flood, 'head -c 3000000 /dev/zero; sleep 1000')
  await until(
    async () =>
      (await server.post('/execute', { code: 'pgrep -c sleep', language: 'shell', sessionId: flood })).body.result
        .stdout,
    (count) => count === '1\n',
  )
  const inFlight = server.post('/execute', {
    code: 'head -c 100000 /dev/zero; echo begun; sleep 1000',
    language: 'shell',
    sessionId: read,
  })
  await until(
    async () =>
      (await server.post('/execute', { code: 'pgrep -c sleep', language: 'shell', sessionId: read })).body.result
        .stdout,
    (count) => count === '2\n',
  )
  await server.shell('true', { sessionId: held })
  await start(held, 'echo held; sleep 1000')
  process.kill(monitorPid(), 'SIGKILL')

  const { body } = await settles(inFlight, 'the request in flight')
  assert.deepEqual([body.status, body.result.truncated], ['lost', true])
  assert.match(body.result.stdout, /^\0{100000}/)
  const assertKept = async () => {
    await until(
      () => get(held),
      ({ process: { status } }) => status === 'lost',
    )
    const { logs } = await get(read)
    assert.deepEqual([logs.stdout, logs.stderr, logs.truncated, logs.done], ['out\n', 'err\n', true, true])
    const { logs: missing } = await get(held)
    assert.ok(missing.truncated && missing.done && ['', 'held\n'].includes(missing.stdout), JSON.stringify(missing))
    const db = await openDatabase(join(testDataDirectory, 'carrel.db'))
    const rows = await db
      .selectFrom('processes')
      .selectAll()
      .where('name', '=', 'lost')
      .orderBy('started_at', 'desc')
      .limit(3)
      .execute()
    await db.destroy()
    const bytes = rows.map(({ output_bytes }) => output_bytes)
    assert.ok(bytes.includes(3_000_000) && bytes.includes(8), String(bytes))
    assert.ok(rows.every(({ truncated }) => truncated === 1))
  }
  await assertKept()
  await server.stop()
  server = await TestServer.start()
  await assertKept()
})

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // The test has killed it already.
  }
}
