import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Carrel } from './index.ts'
import { StandIn } from './testing/stand-in-server.ts'

function processesOf(standIn: StandIn) {
  return new Carrel({ baseUrl: standIn.url, token: standIn.token }).processes
}

test('start() answers while the process runs, kill() ends it, list() and get() tell how', async () => {
  await using standIn = await StandIn.start()
  const processes = processesOf(standIn)
  const started = await processes.start('echo up; sleep 60', { processId: 'server', timeoutMs: 0 })
  assert.equal(started.processId, 'server')
  assert.ok(started.hints['stopProcess'])
  assert.equal(standIn.processes.get('server')?.request.timeoutMs, undefined)
  await processes.kill('server', { signalName: 'SIGKILL' })
  const [listed] = await processes.list()
  assert.deepEqual([listed?.processId, listed?.status, listed?.signal], ['server', 'killed', 'SIGKILL'])
  const { process, logs } = await processes.get('server')
  assert.equal(process.exitCode, 137)
  assert.equal(logs.done, true)
})

test('get() reads the output from a cursor on', async () => {
  await using standIn = await StandIn.start()
  const processes = processesOf(standIn)
  const { processId } = await processes.start('printf abcdef')
  await standIn.processes.get(processId)?.ended
  const { logs } = await processes.get(processId, { cursor: 2 })
  assert.deepEqual([logs.stdout, logs.cursor, logs.done], ['cdef', 6, true])
})

test('a start whose answer is lost starts one process', async () => {
  await using standIn = await StandIn.start()
  standIn.failNext('/process/start', 'lose-answer')
  const { processId } = await processesOf(standIn).start('true')
  assert.deepEqual([...standIn.processes.keys()], [processId])
})

test('an unknown process is NOT_FOUND', async () => {
  await using standIn = await StandIn.start()
  await assert.rejects(processesOf(standIn).get('none'), { code: 'NOT_FOUND' })
})
