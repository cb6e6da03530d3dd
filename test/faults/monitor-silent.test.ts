import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { settles } from '../support/settles.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { computerRow, monitorPid, paths } from './host-traces.ts'

/** A silence is told sooner than by the server's own limits. */
const limits = { monitorPingMs: 300, monitorTimeoutMs: 2_000, monitorGreetingMs: 2_500 }

let server: TestServer
before(async () => {
  server = await TestServer.start({ limits })
})
after(() => server.stop())

const answerOf = (body: Record<string, unknown>) => server.post('/execute', { language: 'shell', ...body })

async function monitorState(): Promise<string> {
  return (await server.call('GET', '/health')).body.helpers.monitor.status
}

/** Returns the host ids of a computer's processes that run a program of this name. */
function runningIn(computerId: string, name: string): number[] {
  const groups = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].map((root) => root + paths.cgroup(computerId))
  const group = groups.find((path) => existsSync(join(path, 'cgroup.procs')))
  if (!group) return []
  const pids = readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'latin1') === `${name}\n`
    } catch {
      return false
    }
  })
}

/** Freezes a process until the returned function is called; no signal can undo that. */
function freeze(pid: number): () => void {
  const isFirst = existsSync('/sys/fs/cgroup/freezer')
  const root = isFirst ? '/sys/fs/cgroup/freezer' : '/sys/fs/cgroup'
  const own = readFileSync(`/proc/${pid}/cgroup`, 'latin1')
    .split('\n')
    .find((line) => line.includes(isFirst ? ':freezer:' : '0::'))!
    .replace(/^\d+:[^:]*:/, '')
  const group = join(root, `carrel-test-${pid}`)
  const [file, on, off] = isFirst ? ['freezer.state', 'FROZEN', 'THAWED'] : ['cgroup.freeze', '1', '0']
  mkdirSync(group)
  writeFileSync(join(group, 'cgroup.procs'), String(pid))
  writeFileSync(join(group, file), on)
  return () => {
    writeFileSync(join(group, file), off)
    writeFileSync(join(root, own, 'cgroup.procs'), String(pid))
    rmdirSync(group)
  }
}

test('a stopped monitor is continued by itself, and time limits hold', async () => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const pid = monitorPid()
  const limited = answerOf({ code: 'echo begun; sleep 1000', sessionId, timeout: 1000 })
  await until(
    async () => (await server.post('/process/list', { sessionId, all: true })).body.processes,
    (processes) => processes.some(({ status }: { status: string }) => status === 'running'),
  )
  process.kill(pid, 'SIGSTOP')
  const { status, body } = await settles(limited, 'the answer')
  assert.deepEqual([status, body.status, body.result.stdout], [200, 'timeout', 'begun\n'])
  await until(monitorState, (state) => state === 'ok')
  assert.equal(monitorPid(), pid)
})

test('while the monitor is unresponsive, every request is answered in time, and nothing starts unrecorded', async (t) => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const { id } = (await computerRow(sessionId))!
  await server.post('/process/start', { command: 'echo kept; sleep 1000', processId: 'kept', sessionId, timeout: 0 })
  const logs = async () => (await server.post('/process/get', { processId: 'kept', sessionId })).body.logs
  await until(logs, ({ stdout }) => stdout === 'kept\n')
  const limited = answerOf({ code: 'exec sleep 999', sessionId, timeout: 1500 })
  const streamed = server.post('/execute/stream', {
    code: 'exec sleep 999',
    language: 'shell',
    sessionId,
    timeout: 1500,
  })
  await until(
    () => runningIn(id, 'sleep').length,
    (count) => count === 3,
  )
  const thaw = freeze(monitorPid())
  let isFrozen = true
  t.after(() => isFrozen && thaw())

  // Sent before the server knows that the monitor is unresponsive.
  const unanswered = answerOf({ code: 'exec sleep 998', sessionId })
  const began = settles(unanswered, 'the response to a start that was sent')
  await until(monitorState, (state) => state === 'degraded')
  const soon = await settles(answerOf({ code: 'true', sessionId }), 'the response to a start that is refused')
  assert.deepEqual([soon.status, soon.body.code, soon.body.retryable], [503, 'UNAVAILABLE', true])
  const { status, body } = await began
  assert.deepEqual([status, body.code, body.retryable], [503, 'UNAVAILABLE', true])
  const late = await settles(limited, 'the response of a process over its time limit')
  assert.deepEqual([late.status, late.body.code, late.body.retryable], [503, 'PROCESS_GOES_ON', false])
  assert.match(late.body.error, /the process monitor does not answer/)
  assert.match((await settles(streamed, 'the stream')).body, /event: error\ndata: .*"PROCESS_GOES_ON"/)
  assert.equal((await settles(logs(), 'the output')).stdout, 'kept\n')
  // Processes over their time limit are ended all the same.
  await until(
    () => runningIn(id, 'sleep').length,
    (count) => count === 1,
  )
  const kill = server.post('/process/kill', { processId: 'kept', sessionId, signal: 'SIGKILL' })
  assert.deepEqual((await settles(kill, 'the answer to a kill')).body.code, 'UNAVAILABLE')
  const health = JSON.stringify((await server.call('GET', '/health', undefined, { token: null })).body)
  assert.doesNotMatch(health, /\/(var|run|proc|sys)/)
  assert.match((await server.call('GET', '/metrics')).body, /^carrel_helper_ok\{helper="monitor"\} 0$/m)

  thaw()
  isFrozen = false
  await until(monitorState, (state) => state === 'ok')
  assert.equal((await server.shell('echo fine', { sessionId })).stdout, 'fine\n')
  const ended = await server.post('/process/get', { processId: late.body.processId, sessionId })
  assert.equal(ended.body.process.status, 'timeout')
  // The start was given up and has not happened since; the kill has been carried out.
  await until(
    () => runningIn(id, 'sleep').length,
    (count) => count === 0,
  )
  const { processes } = (await server.post('/process/list', { sessionId, all: true })).body
  assert.deepEqual(
    processes.filter(({ status: is }: { status: string }) => is === 'running'),
    [],
  )
})

test('a server starts although its monitor is stopped', async () => {
  const sessionId = newSession()
  await server.post('/process/start', { command: 'sleep 1000', processId: 'sleeper', sessionId, timeout: 0 })
  await server.stop()
  const pid = monitorPid()
  process.kill(pid, 'SIGSTOP')
  server = await settles(TestServer.start({ limits }), 'the start')
  assert.equal(monitorPid(), pid)
  const { body } = await server.post('/process/get', { processId: 'sleeper', sessionId })
  assert.equal(body.process.status, 'running')
})

test('a server whose monitor does not answer at all reports that, and does not start', async () => {
  await server.stop()
  const thaw = freeze(monitorPid())
  try {
    await assert.rejects(
      settles(TestServer.start({ limits }), 'the refusal'),
      /Cannot start: the process monitor \(process \d+\) does not answer; /,
    )
  } finally {
    thaw()
  }
  server = await TestServer.start({ limits })
})
