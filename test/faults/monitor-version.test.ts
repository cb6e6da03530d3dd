import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newSession, TestServer, until } from '../support/server.ts'
import { computerRow, monitorPids } from './host-traces.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'carrel-other-version-'))
const env = { CARREL_LOG_LEVEL: 'info' }

let server: TestServer
before(async () => {
  cpSync(join(project, 'src'), join(copy, 'src'), { recursive: true })
  for (const name of ['package.json', 'node_modules', 'images', 'sdk', 'docs'])
    symlinkSync(join(project, name), join(copy, name))
  // Makes it a monitor from before the handshake: it does not know the message.
  const file = join(copy, 'src/drivers/local/monitor/monitor.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace("case 'hello':", "case 'unheard of' as 'hello':"))
})
after(async () => {
  await server?.stop()
  rmSync(copy, { recursive: true })
})

test('a monitor of another version continues with its processes, and is ended once none is left', async () => {
  const sessionId = newSession()
  const oldMonitor = await begin(sessionId)
  assert.match(server.log(), /"version":"unknown".*process monitor is of another version/)
  assert.equal(monitorPids().length, 2)
  assert.equal((await server.post('/process/get', { processId: 'old', sessionId })).body.process.status, 'running')
  await server.post('/process/start', { command: 'exec sleep 1000', processId: 'new', sessionId, timeout: 0 })
  assert.equal((await server.shell('echo fresh', { sessionId: newSession() })).stdout, 'fresh\n')

  await server.stop('SIGKILL')
  server = await TestServer.start({ env })
  assert.equal(monitorPids().length, 2)
  await server.shell('touch end', { sessionId })
  const { process: old, logs } = await until(
    async () => (await server.post('/process/get', { processId: 'old', sessionId })).body,
    (body) => body.process.status !== 'running',
  )
  assert.deepEqual([old.exitCode, old.reason, logs.stdout], [7, 'exited', 'begun\nended\n'])
  const killed = await server.post('/process/kill', { processId: 'new', sessionId })
  assert.equal(killed.body.process.status, 'killed')
  assert.equal(monitorPids().length, 2)

  await server.stop()
  server = await TestServer.start({ env: { ...env, CARREL_IDLE_TIMEOUT_S: '1', CARREL_SWEEP_INTERVAL_MS: '100' } })
  await until(
    () => computerRow(sessionId),
    (row) => row?.state === 'stopped',
  )
  await until(monitorPids, (pids) => pids.length === 1 && pids[0] !== oldMonitor)
  assert.equal((await computerRow(sessionId))?.state_reason, 'idle')
  assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
})

test('when a monitor of another version is killed, its processes are lost and no others', async () => {
  const [sessionId, other] = [newSession(), newSession()]
  await server.stop()
  const oldMonitor = await begin(sessionId)
  await server.post('/process/start', { command: 'exec sleep 1000', processId: 'new', sessionId: other, timeout: 0 })
  process.kill(oldMonitor, 'SIGKILL')
  await until(
    () => computerRow(sessionId),
    (row) => row?.state === 'stopped',
  )
  assert.equal((await server.post('/process/get', { processId: 'old', sessionId })).body.process.status, 'lost')
  assert.equal(
    (await server.post('/process/get', { processId: 'new', sessionId: other })).body.process.status,
    'running',
  )
  assert.equal((await server.shell('echo again', { sessionId })).stdout, 'again\n')
})

/** Starts a process with a server of the other version, then this server. Returns the other monitor's process id. */
async function begin(sessionId: string): Promise<number> {
  // The other server would keep a monitor of this version.
  for (const pid of monitorPids()) process.kill(pid, 'SIGKILL')
  server = await TestServer.start({ program: join(copy, 'src/main.ts') })
  const command = 'echo begun; while ! test -e end; do sleep 0.05; done; echo ended; exit 7'
  await server.post('/process/start', { command, processId: 'old', sessionId, timeout: 0 })
  const [pid] = monitorPids()
  await server.stop('SIGKILL')
  server = await TestServer.start({ env })
  return pid!
}
