import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, test } from 'node:test'
import { settles } from '../../support/settles.ts'
import { ended, readAll, stdoutWith, type Part } from '../subject.ts'

export const describeInput: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('without stdin a process reads end of file at once', async () => {
    const { stdout } = await settles(subject().shell(id, 'cat; echo end'))
    assert.equal(stdout, 'end\n')
  })

  test('write() and closeStdin() feed a process; a later write is a conflict', async () => {
    const process = await subject().exec(id, ['cat'], { stdin: true })
    await process.write(Buffer.from('one\n'))
    await stdoutWith(process, 'one\n')
    await process.write(Buffer.from('two\n'))
    await process.closeStdin()
    await assert.rejects(process.write(Buffer.from('three\n')), { code: 'conflict' })
    const { exit, stdout } = await ended(process)
    assert.deepEqual([exit.exitCode, stdout], [0, 'one\ntwo\n'])
    await assert.rejects(process.write(Buffer.from('four\n')), { code: 'conflict' })
  })

  test('5 MB of arbitrary bytes come back from cat unchanged', async () => {
    const data = randomBytes(5_000_000)
    const process = await subject().exec(id, ['cat'], { stdin: true })
    for (let start = 0; start < data.length; start += 700_001)
      await process.write(data.subarray(start, start + 700_001))
    await process.closeStdin()
    const exit = await settles(process.wait())
    const { stdout } = await readAll(process.follow(0))
    assert.equal(exit.outputBytes, data.length)
    assert.ok(stdout.equals(data), 'the bytes differ')
  })

  test('a write to a program that reads nothing waits or is refused, and never harms the driver', async () => {
    const process = await subject().exec(id, ['sleep', '100'], { stdin: true })
    const writes = Array.from({ length: 12 }, () => process.write(Buffer.alloc(1024 * 1024)))
    const outcomes = Promise.allSettled(writes)
    assert.equal((await subject().shell(id, 'echo alive')).stdout, 'alive\n')
    await process.kill('SIGKILL', 'tree')
    for (const outcome of await settles(outcomes)) {
      assert.equal(outcome.status, 'rejected')
      assert.equal(outcome.reason.code, 'conflict')
    }
  })

  test('write() to a program that has closed its stdin is a conflict, not a fault', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'exec 0<&-; echo closed; sleep 100'], { stdin: true })
    await stdoutWith(process, 'closed')
    await assert.rejects(
      async () => {
        for (let count = 0; count < 100; count++) await process.write(Buffer.from('x'))
      },
      { code: 'conflict' },
    )
    await process.kill('SIGKILL', 'tree')
  })
}
