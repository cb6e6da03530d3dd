import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Carrel } from './index.ts'
import { FakeServer } from './testing/fake-server.ts'

function processesOf(server: FakeServer) {
  return new Carrel({ baseUrl: server.url, token: server.token }).processes
}

test('start() returns while the process runs, kill() ends it, list() and get() report how', async () => {
  await using server = await FakeServer.start()
  const processes = processesOf(server)
  const started = await processes.start('echo up; sleep 60', { processId: 'server', timeoutMs: 0 })
  assert.equal(started.processId, 'server')
  assert.ok(started.hints['stopProcess'])
  assert.equal(server.processes.get('server')?.request.timeoutMs, undefined)
  await processes.kill('server', { signalName: 'SIGKILL' })
  const [listed] = await processes.list()
  assert.deepEqual([listed?.processId, listed?.status, listed?.signal], ['server', 'killed', 'SIGKILL'])
  const { process, logs } = await processes.get('server')
  assert.equal(process.exitCode, 137)
  assert.equal(logs.done, true)
})

test('get() reads the output from a cursor', async () => {
  await using server = await FakeServer.start()
  const processes = processesOf(server)
  const { processId } = await processes.start('printf abcdef')
  await server.processes.get(processId)?.ended
  const { logs } = await processes.get(processId, { cursor: 2 })
  assert.deepEqual([logs.stdout, logs.cursor, logs.done], ['cdef', 6, true])
})

test('a start whose answer is lost starts one process', async () => {
  await using server = await FakeServer.start()
  server.failNext('/process/start', 'lose-answer')
  const { processId } = await processesOf(server).start('true')
  assert.deepEqual([...server.processes.keys()], [processId])
})

test('an unknown process is NOT_FOUND', async () => {
  await using server = await FakeServer.start()
  await assert.rejects(processesOf(server).get('none'), { code: 'NOT_FOUND' })
})
