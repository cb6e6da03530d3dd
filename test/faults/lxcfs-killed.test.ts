import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'
import { paths } from './host-traces.ts'

const free = "free -m | awk '/Mem:/ {print $2}'"

test('after lxcfs was killed, the next start mounts it anew, and all computers see their own limits', async () => {
  const first = await TestServer.start()
  const running = newSession()
  await first.shell('true', { sessionId: running })
  await first.stop()
  const pid = Number(readFileSync(`${paths.runtime}/lxcfs.pid`, 'utf8'))
  process.kill(pid, 'SIGKILL')
  await until(
    () => isRunning(pid),
    (running) => !running,
  )

  const next = await TestServer.start({ env: { CARREL_COMPUTER_MEMORY_MIB: '200' } })
  try {
    const views = await next.shell(`${free}; cut -d' ' -f1 /proc/uptime; nproc; wc -l < /proc/stat`, {
      sessionId: running,
    })
    assert.deepEqual([views.stderr, views.stdout.split('\n')[0]], ['', '256'])
    const { stdout } = await next.shell(free, { sessionId: newSession() })
    assert.equal(stdout, '200\n')
  } finally {
    await next.stop()
  }
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
