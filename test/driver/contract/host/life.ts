import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../support/server.ts'
import { newId } from '../../../../src/engine/ids.ts'
import { smallLimits, stdoutWith, type Part } from '../../subject.ts'

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

  test('resize() is seen inside, and is refused while the computer uses more memory', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const memory = async () =>
      Number((await subject().shell(id, "awk '/MemTotal/ {print $2}' /proc/meminfo")).stdout) / 1024
    const small = await memory()
    assert.equal(await driver.resize(id, { ...smallLimits, memoryBytes: 2 * smallLimits.memoryBytes }), true)
    if (driver.capabilities.ownProcView) assert.equal(await memory(), 2 * small)
    const code = 'kept = bytearray(300 * 1024 * 1024); print("ready", flush=True); input()'
    const process = await subject().exec(id, ['python3', '-c', code], { stdin: true })
    await stdoutWith(process, 'ready')
    assert.equal(await driver.resize(id, smallLimits), false)
    assert.equal((await driver.stats(id)).memoryLimitBytes, 2 * smallLimits.memoryBytes)
    assert.equal(process.exit, undefined)
    await process.closeStdin()
    await process.wait()
    assert.equal(await driver.resize(id, smallLimits), true)
    const killed = await subject().exec(id, ['python3', '-c', code], { stdin: true })
    assert.equal((await killed.wait()).reason, 'oom')
  })

  test('a snapshot of a running computer is of one moment', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const code = `
import os
count = 0
while True:
    count += 1
    for name in ('first', 'second'):
        with open('/workspace/' + name + '.new', 'w') as file: file.write(str(count).ljust(65536))
        os.rename('/workspace/' + name + '.new', '/workspace/' + name)
    if count == 3: print('ready', flush=True)`
    await stdoutWith(await subject().exec(id, ['python3', '-c', code]), 'ready')
    for (let round = 0; round < 3; round++) {
      const snapshot = newId()
      t.after(() => driver.deleteSnapshot(snapshot))
      await driver.snapshot(id, snapshot)
      const fork = await subject().computer(t, { source: { snapshot } })
      const { stdout } = await subject().shell(
        fork,
        'for name in first second; do cut -d" " -f1 /workspace/$name; done',
      )
      const [first, second] = stdout.split('\n').map(Number)
      assert.ok(first === second || first === second! + 1, stdout)
    }
    assert.equal((await driver.get(id))?.paused, false)
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
