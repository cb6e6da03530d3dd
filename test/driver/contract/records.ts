import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { newId } from '../../../src/engine/ids.ts'
import { until } from '../../support/server.ts'
import { readAll, type Part } from '../subject.ts'

export const describeRecords: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('processes() contains running and ended processes, with their meta, until they are released', async () => {
    const { driver } = subject()
    const running = await subject().exec(id, ['sleep', '100'], { meta: { name: 'the one', deep: { a: [1] } } })
    const over = await subject().exec(id, ['echo', 'hello'])
    await over.wait()
    const ids = () => driver.processes().map(({ processId }) => processId)
    assert.ok(ids().includes(running.processId) && ids().includes(over.processId))
    assert.equal(driver.process(running.processId), running)
    assert.deepEqual(running.meta, { name: 'the one', deep: { a: [1] } })
    assert.equal(running.computerId, id)
    driver.release(over.processId)
    assert.ok(!ids().includes(over.processId))
    await running.kill('SIGKILL', 'tree')
    await running.wait()
    assert.ok(ids().includes(running.processId))
  })

  test('output and exit of a released process stay readable until it is forgotten', async () => {
    const { driver } = subject()
    const retained = () => Array.fromAsync(driver.retainedProcesses())
    const short = await subject().exec(id, ['bash', '-c', 'echo short; exit 9'], { meta: { name: 'short' } })
    const long = await subject().exec(id, ['head', '-c', '1000000', '/dev/zero'])
    for (const process of [short, long]) {
      const exit = await process.wait()
      driver.release(process.processId)
      const again = driver.process(process.processId)
      assert.deepEqual(again?.exit, exit)
      assert.deepEqual([again?.computerId, again?.meta], [id, process.meta])
      assert.equal((await readAll(again.follow(0))).stdout.length, exit.outputBytes)
      assert.ok((await driver.output(process.processId, 0)).records.length > 0)
      assert.ok((await retained()).includes(process.processId))
      await driver.forget(process.processId)
      assert.equal(driver.process(process.processId), undefined)
      await assert.rejects(driver.output(process.processId, 0), { code: 'not_found' })
      assert.ok(!(await retained()).includes(process.processId))
      await driver.forget(process.processId)
    }
  })

  test('a process that was never started is unknown', async () => {
    const { driver } = subject()
    assert.equal(driver.process('nothing'), undefined)
    await assert.rejects(driver.output('nothing', 0), { code: 'not_found' })
    const processId = newId()
    await assert.rejects(subject().exec(id, ['nothing-like-this'], { processId }), { code: 'not_found' })
    assert.equal(driver.process(processId), undefined)
    assert.ok(!driver.processes().some((process) => process.processId === processId))
  })

  test('the id of a running process cannot be reused', async () => {
    const process = await subject().exec(id, ['sleep', '100'])
    await assert.rejects(subject().exec(id, ['true'], { processId: process.processId }), { code: 'conflict' })
    assert.equal(process.exit, undefined)
    await process.kill('SIGKILL', 'tree')
    assert.equal((await process.wait()).signal, 'SIGKILL')
  })

  test('metrics() counts the running processes', async () => {
    const { driver } = subject()
    const before = driver.metrics().runningProcesses
    const process = await subject().exec(id, ['sleep', '100'])
    assert.equal(driver.metrics().runningProcesses, before + 1)
    await process.kill('SIGKILL', 'tree')
    await process.wait()
    await until(
      () => driver.metrics().runningProcesses,
      (count) => count === before,
    )
  })

  test('many concurrent processes each have their own output and end', async () => {
    const processes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => subject().shell(id, `echo ${index}; echo e${index} >&2; exit ${index}`)),
    )
    for (const [index, { exit, stdout, stderr }] of processes.entries())
      assert.deepEqual([exit.exitCode, stdout, stderr], [index, `${index}\n`, `e${index}\n`])
  })
}
