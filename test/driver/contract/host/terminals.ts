import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { before, test } from 'node:test'
import { until } from '../../../support/server.ts'
import { settles } from '../../../support/settles.ts'
import { ended, smallLimits, stdoutWith, type Part } from '../../subject.ts'

export const describeTerminals: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('a terminal is a real one of the requested size, and resize() reaches the program', async () => {
    const code = 'trap "echo resized; stty size" WINCH; tty; stty size; echo ready; while :; do sleep 0.02; done'
    const process = await subject().exec(id, ['bash', '-c', code], { tty: { cols: 91, rows: 37 } })
    assert.match(await stdoutWith(process, 'ready'), /^\/dev\/pts\/\d+\r\n37 91\r\nready/)
    await process.resize(120, 50)
    assert.match(await stdoutWith(process, /resized\r\n\d+ \d+/), /resized\r\n50 120/)
    await process.kill('SIGKILL', 'tree')
    await assert.rejects((await subject().exec(id, ['sleep', '100'])).resize(10, 10), { code: 'conflict' })
  })

  test('a program on a terminal that reads nothing affects nothing else, and pending writes end with it', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'stty raw -echo; echo ready; sleep 1000'], {
      tty: { cols: 80, rows: 24 },
    })
    await stdoutWith(process, 'ready')
    const writes = Promise.allSettled(Array.from({ length: 4 }, () => process.write(Buffer.alloc(1024 * 1024))))
    for (let count = 0; count < 5; count++) assert.equal((await subject().shell(id, 'echo alive')).stdout, 'alive\n')
    await process.kill('SIGKILL', 'tree')
    assert.equal((await settles(process.wait(), 'the end')).signal, 'SIGKILL')
    for (const outcome of await settles(writes, 'the writes')) assert.equal(outcome.status, 'rejected')
  })

  test('a terminal loses no input of a slow program', async () => {
    const code = 'stty raw -echo; echo ready; for i in $(seq 40); do head -c 10000; sleep 0.01; done | sha1sum'
    const process = await subject().exec(id, ['bash', '-c', code], { tty: { cols: 80, rows: 24 } })
    await stdoutWith(process, 'ready')
    const data = randomBytes(400_000)
    for (let start = 0; start < data.length; start += 70_001) await process.write(data.subarray(start, start + 70_001))
    const { stdout } = await ended(process)
    assert.match(stdout, new RegExp(createHash('sha1').update(data).digest('hex')))
  })

  test('a program sees the size of its terminal as soon as it starts, also when the processors are busy', async (t) => {
    const other = await subject().computer(t, { limits: { ...smallLimits, cpus: availableParallelism() } })
    for (let count = 0; count < availableParallelism() * 2; count++)
      await subject().exec(other, ['bash', '-c', 'while :; do :; done'])
    const sizes = new Set<string>()
    for (let count = 0; count < 60; count++) {
      const process = await subject().exec(id, ['stty', 'size'], { tty: { cols: 91, rows: 37 } })
      sizes.add((await ended(process)).stdout)
    }
    assert.deepEqual([...sizes], ['37 91\r\n'])
  })

  test('a program on a terminal runs with ordinary priority', async () => {
    const code = 'import os; print(os.sched_getscheduler(0), os.nice(0))'
    const { stdout } = await subject().python(id, code, { tty: { cols: 80, rows: 24 } })
    assert.equal(stdout, '0 0\r\n')
  })

  test('Ctrl-C on a terminal ends the foreground program, not the shell', async () => {
    const process = await subject().exec(id, ['bash', '--norc', '-i'], { tty: { cols: 80, rows: 24 } })
    await process.write(Buffer.from('sleep 1000; echo "in ""between"\n'))
    await stdoutWith(process, 'sleep 1000')
    await until(
      async () => (await subject().shell(id, 'pgrep -f "^sleep 1000$"')).exit.exitCode,
      (exitCode) => exitCode === 0,
    )
    await process.write(Buffer.from([3]))
    await process.write(Buffer.from('echo "still ""here"; exit 4\n'))
    await stdoutWith(process, 'still here')
    assert.equal((await settles(process.wait())).exitCode, 4)
  })

  test('closeStdin() on a terminal sends end of file', async () => {
    const process = await subject().exec(id, ['cat'], { tty: { cols: 80, rows: 24 } })
    await process.write(Buffer.from('line\n'))
    await stdoutWith(process, 'line\r\nline\r\n')
    await process.closeStdin()
    assert.equal((await settles(process.wait())).exitCode, 0)
  })

  test('a session on a terminal ends with its shell even if a background program holds the terminal', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'setsid sleep 1000 & echo started; exit 6'], {
      tty: { cols: 80, rows: 24 },
    })
    const exit = await settles(process.wait(), 'the end')
    assert.equal(exit.exitCode, 6)
  })
}
