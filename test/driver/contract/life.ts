import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StopReason } from '../../../src/drivers/driver.ts'
import { until } from '../../support/server.ts'
import { settles } from '../../support/settles.ts'
import { ended, smallLimits, stdoutWith, type Part } from '../subject.ts'

const counter = 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done'

export const describeLife: Part = (subject) => {
  test('create() creates a computer that is not running, and refuses the same id after that', async (t) => {
    const { driver } = subject()
    const spec = subject().specification()
    t.after(() => driver.destroy(spec.id))
    await driver.create(spec)
    assert.deepEqual(await driver.get(spec.id), { id: spec.id, running: false, paused: false })
    await assert.rejects(driver.create(spec), { code: 'already_exists' })
    await assert.rejects(subject().shell(spec.id, 'true'), { code: 'conflict' })
    await driver.start(spec.id)
    await assert.rejects(driver.create(spec), { code: 'already_exists' })
    assert.deepEqual(await driver.get(spec.id), { id: spec.id, running: true, paused: false })
  })

  test('create() from a missing image or snapshot reports that, and leaves nothing', async () => {
    const { driver } = subject()
    const withoutImage = subject().specification({ source: { image: 'nothing-0123456789ab' } })
    await assert.rejects(driver.create(withoutImage), { code: 'image_missing' })
    const withoutSnapshot = subject().specification({ source: { snapshot: 'nothing' } })
    await assert.rejects(driver.create(withoutSnapshot), { code: 'not_found' })
    assert.equal(await driver.get(withoutImage.id), undefined)
    assert.equal(await driver.get(withoutSnapshot.id), undefined)
  })

  test('of two concurrent create() with one id, one succeeds', async (t) => {
    const { driver } = subject()
    const spec = subject().specification()
    t.after(() => driver.destroy(spec.id))
    const outcomes = await Promise.allSettled([driver.create(spec), driver.create(spec)])
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    await driver.start(spec.id)
    assert.equal((await subject().shell(spec.id, 'echo ok')).stdout, 'ok\n')
  })

  test('start() of a running computer does nothing', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const process = await subject().exec(id, ['sleep', '100'])
    await Promise.all([driver.start(id), driver.start(id)])
    assert.equal(process.exit, undefined)
    assert.equal((await subject().shell(id, 'pgrep -c sleep')).stdout, '1\n')
  })

  test('every operation but destroy() throws not_found for a missing computer', async () => {
    const { driver } = subject()
    for (const call of [
      () => driver.start('nothing'),
      () => driver.stop('nothing', 100),
      () => driver.pause('nothing'),
      () => driver.resume('nothing'),
      () => driver.stats('nothing'),
      () => driver.orphanedMs('nothing'),
      () => driver.dial('nothing', 80),
      () => driver.listeners('nothing'),
      () => driver.files('nothing').list('/', { limit: 1, maxBytes: 1 }),
      () => driver.snapshot('nothing', 'snapshot-of-nothing'),
      () => driver.restore('nothing', 'snapshot-of-nothing'),
      () => driver.resize('nothing', smallLimits),
      () => subject().shell('nothing', 'true'),
    ])
      await assert.rejects(call(), { code: 'not_found' }, String(call))
    assert.equal(driver.cpuMicros('nothing'), undefined)
    await driver.destroy('nothing')
  })

  test('endPrograms() also ends orphaned processes, and the computer continues', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const process = await subject().exec(id, ['bash', '-c', 'setsid sleep 1000 & echo ready; exec sleep 1000'])
    await stdoutWith(process, 'ready')
    await driver.endPrograms(id)
    assert.equal((await process.wait()).signal, 'SIGKILL')
    // The kernel counts a killed process until it is reaped.
    await until(
      async () => (await driver.stats(id)).pids,
      (pids) => pids === 1,
    )
    assert.equal((await subject().shell(id, 'echo goes on')).stdout, 'goes on\n')
  })

  test('endPrograms() keeps the named processes, but not their descendants', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const code = 'sleep 1000 & setsid sleep 1000 & echo ready; read'
    const process = await subject().exec(id, ['bash', '-c', code], { stdin: true })
    await stdoutWith(process, 'ready')
    await driver.endPrograms(id, [process.processId])
    assert.equal(await driver.orphanedMs(id), undefined)
    assert.equal(process.exit, undefined)
    await process.closeStdin()
    assert.equal((await process.wait()).exitCode, 1)
  })

  test('stop() lets a program end by itself at SIGTERM, and reports it as stopped', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const code = 'trap "echo bye; echo saved > /workspace/saved; exit 3" TERM; echo ready; while :; do sleep 0.02; done'
    const process = await subject().exec(id, ['bash', '-c', code])
    await stdoutWith(process, 'ready')
    await driver.stop(id, 10_000)
    const { exit, stdout } = await ended(process)
    assert.equal(stdout, 'ready\nbye\n')
    assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['stopped', 3, null])
    assert.deepEqual(await driver.get(id), { id, running: false, paused: false })
    await driver.start(id)
    assert.equal((await subject().shell(id, 'cat /workspace/saved')).stdout, 'saved\n')
  })

  test('stop() kills programs that ignore SIGTERM after the grace period, not before', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const process = await subject().exec(id, ['bash', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.02; done'])
    await stdoutWith(process, 'ready')
    const started = performance.now()
    await driver.stop(id, 400)
    const took = performance.now() - started
    assert.ok(took >= 390, `it took ${took} ms`)
    const exit = await process.wait()
    assert.deepEqual([exit.reason, exit.signal], ['stopped', 'SIGKILL'])
  })

  test('stop() does not wait for the grace period once everything has ended', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    await subject().shell(id, 'true')
    await settles(driver.stop(id, 600_000), 'stop()')
  })

  test('stop() keeps the files of the computer, and a second stop() does nothing', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    await subject().shell(id, 'echo one > /workspace/one; echo two > /etc/two', { user: 'root' })
    await driver.stop(id, 100)
    await driver.stop(id, 100)
    await assert.rejects(subject().shell(id, 'true'), { code: 'conflict' })
    await driver.start(id)
    assert.equal((await subject().shell(id, 'cat /workspace/one /etc/two')).stdout, 'one\ntwo\n')
  })

  test('pause() freezes everything, resume() lets it continue', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const process = await subject().exec(id, ['bash', '-c', counter])
    await stdoutWith(process, '3\n')
    await driver.pause(id)
    assert.deepEqual(await driver.get(id), { id, running: true, paused: true })
    const { cpuMicros } = await driver.stats(id)
    const before = (await driver.output(process.processId, 0)).records.length
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal((await driver.output(process.processId, 0)).records.length, before)
    assert.equal((await driver.stats(id)).cpuMicros, cpuMicros)
    await assert.rejects(subject().shell(id, 'true'), { code: 'conflict' })
    await driver.resume(id)
    await until(
      async () => (await driver.output(process.processId, 0)).records.length,
      (count) => count > before + 3,
    )
    assert.equal((await subject().shell(id, 'echo on')).stdout, 'on\n')
  })

  test('a paused computer can be stopped and destroyed', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const process = await subject().exec(id, ['sleep', '100'])
    await driver.pause(id)
    await settles(driver.stop(id, 2000), 'stop()')
    assert.equal((await process.wait()).reason, 'stopped')
    await driver.start(id)
    await driver.pause(id)
    await settles(driver.destroy(id), 'destroy()')
    assert.equal(await driver.get(id), undefined)
  })

  test('destroy() ends what runs and removes everything, and may be repeated', async () => {
    const { driver } = subject()
    const id = await subject().computer()
    const process = await subject().exec(id, ['bash', '-c', 'trap "" TERM; while :; do sleep 0.02; done'])
    await Promise.all([driver.destroy(id), driver.destroy(id)])
    await driver.destroy(id)
    const exit = await settles(process.wait(), 'wait()')
    assert.equal(exit.reason, 'stopped')
    assert.equal(await driver.get(id), undefined)
    await assert.rejects(driver.files(id).list('/', { limit: 1, maxBytes: 1 }), { code: 'not_found' })
  })

  test('a computer whose first process ends by itself is reported, and can be started again', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const reported = new Promise<StopReason>((resolve) =>
      driver.onStopped((stopped, reason) => stopped === id && resolve(reason)),
    )
    const process = await subject().exec(id, ['sleep', '100'])
    void subject().shell(id, 'kill -TERM 1; kill -INT 1', { user: 'root' })
    assert.equal(await settles(reported, 'the report'), 'exited')
    await settles(process.wait(), 'wait()')
    assert.equal((await driver.get(id))?.running, false)
    await driver.start(id)
    assert.equal((await subject().shell(id, 'echo again')).stdout, 'again\n')
  })

  test('orphanedMs() reports the descendants of an ended process until they end too', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    assert.equal(await driver.orphanedMs(id), undefined)
    const process = await subject().exec(id, ['cat'], { stdin: true })
    assert.equal(await driver.orphanedMs(id), undefined)
    await subject().shell(id, 'setsid sleep 1000 >/dev/null 2>&1 &')
    await until(
      () => driver.orphanedMs(id),
      (ms) => ms !== undefined && ms > 100,
    )
    await driver.endPrograms(id, [process.processId])
    assert.equal(await driver.orphanedMs(id), undefined)
    assert.equal(process.exit, undefined)
    await driver.stop(id, 0)
    await assert.rejects(driver.orphanedMs(id), { code: 'conflict' })
  })

  test('resize() gives a running and a stopped computer other limits, which stay', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const limitsOf = async () => {
      const { memoryLimitBytes, diskLimitBytes } = await driver.stats(id)
      return { memoryBytes: memoryLimitBytes, diskBytes: diskLimitBytes }
    }
    const MiB = 1024 * 1024
    const process = await subject().exec(id, ['cat'], { stdin: true })
    for (const size of [
      { memoryBytes: 512 * MiB, diskBytes: 512 * MiB },
      { memoryBytes: 128 * MiB, diskBytes: 128 * MiB },
    ]) {
      assert.equal(await driver.resize(id, { ...smallLimits, ...size }), true)
      assert.deepEqual(await limitsOf(), size)
    }
    assert.equal(process.exit, undefined)
    await driver.stop(id, 0)
    const size = { memoryBytes: 256 * MiB, diskBytes: 64 * MiB }
    assert.equal(await driver.resize(id, { ...smallLimits, ...size }), true)
    await driver.start(id)
    assert.deepEqual(await limitsOf(), size)
    if (!driver.capabilities.diskQuota) return
    const { stderr } = await subject().shell(id, 'head -c 80M /dev/zero > /workspace/fill')
    assert.match(stderr, /quota|No space/i)
    await assert.rejects(driver.resize(id, { ...smallLimits, diskBytes: 16 * MiB }), { code: 'conflict' })
    assert.deepEqual(await limitsOf(), size)
  })

  test('stats() returns the limits of the computer, and its processes', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const before = await driver.stats(id)
    assert.deepEqual(
      [before.memoryLimitBytes, before.diskLimitBytes, before.oomKills],
      [smallLimits.memoryBytes, smallLimits.diskBytes, 0],
    )
    const process = await subject().exec(id, ['cat'], { stdin: true })
    const during = await driver.stats(id)
    assert.equal(during.pids, before.pids + 1)
    assert.ok(during.memoryBytes > 0 && during.cpuMicros >= before.cpuMicros)
    await process.kill('SIGKILL', 'tree')
    await process.wait()
    await driver.stop(id, 0)
    const after = await driver.stats(id)
    assert.deepEqual([after.memoryBytes, after.cpuMicros, after.pids], [0, 0, 0])
  })
}
