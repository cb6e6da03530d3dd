import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'
import { within } from '../driver/subject.ts'
import { computerRow, monitorPid, tracesOf } from './host-traces.ts'

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

  const { status, body } = await within(15_000, inFlight, 'the request in flight')
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

  const again = await within(15_000, server.shell('cat /workspace/file; echo again', { sessionId: first }))
  assert.equal(again.stdout, 'again\n')
  assert.equal((await computerRow(first))?.id, id)
  assert.notEqual(monitorPid(), pid)
})

test('requests while the monitor is killed again and again end, and later ones work', async () => {
  const sessions = Array.from({ length: 4 }, newSession)
  const codes: number[] = []
  let going = true
  const clients = sessions.map(async (sessionId) => {
    while (going) {
      const { status, body } = await within(
        30_000,
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
  going = false
  await Promise.all(clients)
  for (const sessionId of sessions)
    await until(
      async () =>
        (await server.post('/execute', { code: 'echo fine', language: 'shell', sessionId })).body?.result?.stdout,
      (stdout) => stdout === 'fine\n',
    )
})

test('when the monitor was killed while no server ran, the next server says that its processes are lost', async () => {
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
  assert.equal((await computerRow(sessionId))?.state, 'stopped')
  assert.deepEqual(tracesOf(id), [])
  const { body } = await server.post('/process/get', { sessionId, processId: 'sleeper' })
  assert.deepEqual([body.process.status, body.process.exitCode], ['lost', null])
  assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
})
