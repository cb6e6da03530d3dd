import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { diskLimitation } from '../support/disk-limits.ts'
import { newSession, type TestServer, until } from '../support/server.ts'
import { settles } from '../support/settles.ts'
import { WatchedServer } from '../support/watched-server.ts'

const MiB = 1024 * 1024

let watched: WatchedServer
let server: TestServer
before(async () => {
  watched = await WatchedServer.start({ CARREL_COMPUTER_PIDS: '400' })
  ;({ server } = watched)
})
after(() => watched.stop())

const execute = async (code: string, extra: Record<string, unknown> = {}) => {
  const { status, body } = await server.post('/execute', { code, language: 'shell', sessionId: newSession(), ...extra })
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500))
  return body
}

const bomb = async () => {
  const sessionId = newSession()
  const { status, result } = await execute(':(){ :|:& };:; sleep 100', { timeout: 4000, sessionId })
  assert.deepEqual([status, result.reason, result.exitCode], ['timeout', 'timeout', 137])
  assert.equal((await execute('echo alive', { sessionId })).result.stdout, 'alive\n')
}

const memoryHog = async () => {
  const code = 'kept = []\nwhile True: kept.append(bytearray(8 * 1024 * 1024))'
  const { status, result } = await execute(code, { language: 'python', timeout: 60_000 })
  assert.deepEqual([status, result.reason, result.signal], ['oom', 'oom', 'SIGKILL'])
}

const diskHog = async () => {
  // Where disks have no limits, it would fill the host's.
  if (diskLimitation(server) !== undefined) return
  const sessionId = newSession()
  const { result } = await execute('dd if=/dev/zero of=/workspace/fill bs=1M', { timeout: 120_000, sessionId })
  assert.equal(result.reason, 'disk_full')
  assert.match(result.stderr, /quota|No space/i)
  const write = await server.post('/files/write', { path: 'more', content: 'x'.repeat(4 * MiB), sessionId })
  assert.equal(write.status, 507)
}

const flood = async () => {
  const { result } = await execute('head -c 5G /dev/zero', { timeout: 180_000 })
  assert.deepEqual([result.reason, result.exitCode, result.truncated], ['exited', 0, true])
  assert.ok(result.stdout.length > MiB)
}

const deafOne = async () => {
  const sessionId = newSession()
  const command = 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
  await server.post('/process/start', { command, processId: 'deaf', sessionId })
  await until(
    async () => (await server.post('/process/get', { processId: 'deaf', sessionId })).body.logs.stdout,
    (stdout) => stdout === 'ready\n',
  )
  const { body } = await server.post('/process/kill', { processId: 'deaf', sessionId })
  assert.deepEqual([body.process.status, body.process.signal], ['killed', 'SIGKILL'])
}

const manyFiles = async () => {
  const sessionId = newSession()
  await execute('mkdir /workspace/many && cd /workspace/many && seq 10000 | xargs touch', { sessionId })
  const { status, body } = await server.post('/files/list', { path: 'many', sessionId })
  assert.deepEqual([status, body.files.length], [200, 10_000])
}

const circle = async () => {
  const sessionId = newSession()
  await execute('cd /workspace && ln -s b a && ln -s a b', { sessionId })
  const { status } = await server.post('/files/read', { path: 'a/file', sessionId })
  assert.equal(status, 400)
}

test('concurrent starts never exceed the process limit of a computer', async () => {
  const sessionId = newSession()
  await execute('true', { sessionId })
  const answers = await Promise.all(
    Array.from({ length: limits.processesPerComputer + 20 }, () =>
      server.post('/process/start', { command: 'exec sleep 1000', sessionId }),
    ),
  )
  const refused = answers.filter(({ status }) => status !== 200)
  assert.deepEqual(new Set(refused.map(({ status, body }) => `${status} ${body.code}`)), new Set(['429 LIMIT_REACHED']))
  assert.equal(refused.length, 20)
})

test('greedy programs leave the server quick and small, and their ends are reported correctly', async (t) => {
  const work = () => Promise.all([bomb(), memoryHog(), diskHog(), flood(), deafOne(), manyFiles(), circle()])
  const [, { longestTurnMs, grownMiB }] = await watched.during(() => settles(work(), 'the work', 240_000))
  t.diagnostic(JSON.stringify({ longestTurnMs, grownMiB }))
  assert.ok(longestTurnMs < 250, `other clients waited for ${longestTurnMs} ms of processor time`)
  assert.ok(grownMiB < 300, `the server grew by ${grownMiB} MiB`)
})
