import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../support/server.ts'
import { stdoutWith, type Part } from '../../subject.ts'

export const describeLifeOnHost: Part = (subject) => {
  test('orphanedMs() reports running orphaned processes, however they hide, and none that has ended', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    assert.equal(await driver.orphanedMs(id), undefined)
    const process = await subject().exec(id, ['bash', '-c', 'sleep 0.01 & exec cat'], { stdin: true })
    await until(
      () => driver.orphanedMs(id),
      (ms) => ms === undefined,
    )
    for (const code of [
      'setsid sleep 1000 >/dev/null 2>&1 &',
      '(setsid env -i PATH="$PATH" sleep 1000 >/dev/null 2>&1 &)',
      'exec -a cat sleep 1000 >/dev/null 2>&1 &',
      `python3 -c 'import ctypes, threading, time; threading.Thread(target=time.sleep, args=(1000,)).start(); ctypes.CDLL(None).syscall(60, 0)' >/dev/null 2>&1 &`,
    ]) {
      const begunAtMs = performance.now()
      await subject().shell(id, code)
      const ranMs = await until(
        () => driver.orphanedMs(id),
        (ms) => ms !== undefined && ms > 200,
      )
      assert.ok(ranMs! < performance.now() - begunAtMs + 100, `${code}: ${ranMs} ms`)
      await driver.endPrograms(id, [process.processId])
      assert.equal(await driver.orphanedMs(id), undefined)
    }
    await driver.stop(id, 0)
    await assert.rejects(driver.orphanedMs(id), { code: 'conflict' })
  })

  test('stats() returns memory, processor time, processes and disk of this computer only', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const before = await driver.stats(id)
    assert.deepEqual([before.memoryLimitBytes, before.diskLimitBytes], [256 * 1024 * 1024, 256 * 1024 * 1024])
    assert.equal(before.oomKills, 0)
    const code = `
import time
kept = bytearray(64 * 1024 * 1024)
open('/workspace/file', 'wb').write(b'x' * 16 * 1024 * 1024)
end = time.process_time() + 0.2
while time.process_time() < end: pass
print('ready', flush=True)
time.sleep(100)`
    await stdoutWith(await subject().exec(id, ['python3', '-c', code]), 'ready')
    await subject().shell(id, 'sync')
    const during = await until(
      () => driver.stats(id),
      ({ diskBytes }) => !driver.capabilities.diskQuota || diskBytes! >= 16 * 1024 * 1024,
      60_000,
    )
    assert.ok(during.memoryBytes >= before.memoryBytes + 60 * 1024 * 1024, `memory is ${during.memoryBytes}`)
    assert.ok(during.cpuMicros >= before.cpuMicros + 190_000, `processor time is ${during.cpuMicros}`)
    assert.ok(during.pids > before.pids, `processes are ${during.pids}`)
    await driver.stop(id, 0)
    const after = await driver.stats(id)
    assert.deepEqual([after.memoryBytes, after.cpuMicros, after.pids], [0, 0, 0])
  })
}
