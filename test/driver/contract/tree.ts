import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { until } from '../../support/server.ts'
import { stdoutWith, within, type Part } from '../subject.ts'

/** Children that leave their parent in every way, each a `sleep` of a length of its own. */
const scattered = `
import os, signal, subprocess, sys, time
def child(seconds, ignoring=False, clean=False):
    if ignoring: signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return ['sleep', str(seconds)]
subprocess.Popen(child(7001))
subprocess.Popen(child(7002), start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.execvp('sleep', child(7003))
    os._exit(0)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.execvp('sleep', child(7004))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(100)`

export const describeTree: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const sleepers = async () =>
    (await subject().shell(id, 'pgrep -fx "sleep 7.*" -a | sort -k3')).stdout.split('\n').filter(Boolean)

  test('a time limit kills the process and everything that came of it', async () => {
    const started = performance.now()
    const process = await subject().exec(id, ['python3', '-c', scattered], { timeoutMs: 1000 })
    await stdoutWith(process, 'ready')
    const exit = await within(10_000, process.wait(), 'the end')
    assert.ok(performance.now() - started >= 950)
    assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['timeout', 137, 'SIGKILL'])
    assert.deepEqual(await sleepers(), [])
  })

  test('a time limit ends a process whose first thread has ended while others go on', async () => {
    const code = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
ctypes.CDLL(None).syscall(60, 0)`
    const process = await subject().exec(id, ['python3', '-c', code], { timeoutMs: 2000 })
    const exit = await within(20_000, process.wait(), 'the end')
    assert.equal(exit.reason, 'timeout')
  })

  test('a time limit leaves other processes of the computer alone', async () => {
    const other = await subject().exec(id, ['sleep', '8000'])
    const { exit } = await subject().shell(id, 'sleep 8001', { timeoutMs: 100 })
    assert.equal(exit.reason, 'timeout')
    assert.equal(other.exit, undefined)
    await other.kill('SIGKILL', 'tree')
  })

  test('kill() of the tree reaches everything that came of the process', async () => {
    const process = await subject().exec(id, ['python3', '-c', scattered])
    await stdoutWith(process, 'ready')
    await until(sleepers, (found) => found.length === 4)
    await process.kill('SIGTERM', 'tree')
    const deaf = await until(sleepers, (found) => found.length === 2)
    assert.match(deaf.join(), /7003.*7004/)
    assert.equal(process.exit, undefined)
    await process.kill('SIGKILL', 'tree')
    const exit = await within(5000, process.wait())
    assert.deepEqual([exit.reason, exit.signal], ['signalled', 'SIGKILL'])
    assert.deepEqual(await until(sleepers, (found) => found.length === 0), [])
  })

  test('kill() of the process leaves its children', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'sleep 7010 & echo ready; wait'])
    await stdoutWith(process, 'ready')
    await process.kill('SIGKILL', 'process')
    await process.wait()
    assert.equal((await sleepers()).length, 1)
    await subject().shell(id, 'pkill -fx "sleep 7010"')
  })

  test('a child that lives on and holds the output open does not delay the end', async () => {
    const started = performance.now()
    const process = await subject().exec(id, ['bash', '-c', 'sleep 7020 & echo parent; exit 5'])
    const exit = await process.wait()
    const took = performance.now() - started
    assert.equal(exit.exitCode, 5)
    assert.ok(took < 1000, `it took ${took} ms`)
    assert.equal((await sleepers()).length, 1)
    await subject().shell(id, 'pkill -fx "sleep 7020"')
  })

  test('a child that lives on and goes on writing is not ended by it', async () => {
    const code = '(trap "" PIPE; while :; do echo x; echo y > /workspace/alive; sleep 0.02; done) & echo parent'
    const process = await subject().exec(id, ['bash', '-c', code])
    await within(2000, process.wait(), 'the end')
    await subject().shell(id, 'rm -f /workspace/alive')
    await until(
      async () => (await subject().shell(id, 'cat /workspace/alive')).stdout,
      (text) => text === 'y\n',
    )
  })
}
