import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { settles } from '../support/settles.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { paths } from './host-traces.ts'

const free = "free -m | awk '/Mem:/ {print $2}'"
const views = `${free}; cut -d' ' -f1 /proc/uptime; nproc; wc -l < /proc/stat`

const pidFile = `${paths.runtime}/lxcfs.pid`

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

/** Returns the process id of lxcfs once there is one; while it is replaced there is none. */
function lxcfsPid(): Promise<number> {
  return until(
    () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0),
    (pid) => pid > 0,
  )
}

async function lxcfsState(): Promise<string> {
  return (await server.call('GET', '/health')).body.helpers.lxcfs.status
}

/** Whether a process runs; false for a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

test('after lxcfs was killed, the next start mounts a new one, and all computers see their own limits', async () => {
  const running = newSession()
  await server.shell('true', { sessionId: running })
  await server.stop()
  const pid = await lxcfsPid()
  process.kill(pid, 'SIGKILL')
  await until(
    () => isRunning(pid),
    (isThere) => !isThere,
  )

  server = await TestServer.start({ env: { CARREL_COMPUTER_MEMORY_MIB: '200' } })
  const { stdout, stderr } = await server.shell(views, { sessionId: running })
  assert.deepEqual([stderr, stdout.split('\n')[0]], ['', '256'])
  assert.equal((await server.shell(free, { sessionId: newSession() })).stdout, '200\n')
  await server.stop()
  server = await TestServer.start()
})

for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
  test(`${signal} to lxcfs while the server runs does not keep computers from starting, and all see their own limits again`, async () => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    const pid = await lxcfsPid()
    process.kill(pid, signal)
    // Reads a file of the failed lxcfs; the read hangs when lxcfs is stopped.
    const caught = server.shell(`${free} 2>/dev/null; echo went on`, { sessionId })
    const started = Array.from({ length: 3 }, async () => {
      const own = newSession()
      const { status, body } = await server.post('/execute', { code: 'echo fine', language: 'shell', sessionId: own })
      assert.deepEqual([status, body.result?.stdout], [200, 'fine\n'], JSON.stringify(body))
      return own
    })
    const sessions = await settles(Promise.all(started), 'the starts')
    assert.match((await settles(caught, 'the program that reads')).stdout, /went on\n$/)
    assert.equal(isRunning(pid), false)
    await until(lxcfsPid, (now) => now !== pid)
    await until(lxcfsState, (state) => state === 'ok')
    for (const own of [sessionId, ...sessions])
      await until(
        async () => (await server.shell(views, { sessionId: own })).stdout.split('\n')[0],
        (memory) => memory === '256',
      )
  })

test('a server starts although lxcfs is stopped, and replaces it', async () => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  await server.stop()
  const pid = await lxcfsPid()
  process.kill(pid, 'SIGSTOP')
  server = await settles(TestServer.start(), 'the start')
  assert.equal(isRunning(pid), false)
  assert.equal((await server.shell(free, { sessionId })).stdout, '256\n')
})
