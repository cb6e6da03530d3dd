import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readAll, stdoutWith, type Part } from '../subject.ts'
import { settles } from '../../support/settles.ts'

const MiB = 1024 * 1024

export const describeOutput: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('stdout and stderr arrive separately and in order', async () => {
    // Two pipes have no common order: each number is written once the previous one was seen.
    const code = 'i=0; while [ $i -lt 40 ]; do echo $i >&$((1 + i % 2)); read line; i=$((i + 1)); done'
    const process = await subject().exec(id, ['bash', '-c', code], { stdin: true })
    const numbers = (text: Uint8Array) => Buffer.from(text).toString().split('\n').filter(Boolean).map(Number)
    for await (const { records } of process.follow(0))
      for (const { data } of records)
        for (const _ of numbers(data)) await process.write(Buffer.from('\n')).catch(() => {})
    const { stdout, stderr } = await readAll(process.follow(0))
    assert.deepEqual(
      numbers(stdout),
      range(0, 40).filter((number) => number % 2 === 0),
    )
    assert.deepEqual(
      numbers(stderr),
      range(0, 40).filter((number) => number % 2 === 1),
    )
    const inOrder = []
    for await (const { records } of process.follow(0)) inOrder.push(...records.flatMap(({ data }) => numbers(data)))
    assert.deepEqual(inOrder, range(0, 40))
  })

  test('onOutput() reports a process that prints after its first second, even if nothing follows it', async (t) => {
    const told = Promise.withResolvers<string>()
    const process = await subject().exec(id, ['bash', '-c', 'sleep 1.5; echo ready; exec sleep 100'])
    t.after(() => process.kill('SIGKILL', 'tree'))
    subject().driver.onOutput(({ processId }) => {
      if (processId === process.processId) told.resolve(processId)
    })
    await settles(told.promise, 'the print')
  })

  test('bytes that are not text, and a last line without a line feed, arrive unchanged', async () => {
    const bytes = Buffer.from([0, 1, 255, 254, 128, 10, 13, 0, 195])
    const escaped = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
    const process = await subject().exec(id, ['bash', '-c', `printf '${escaped}'; printf '\\377' >&2`])
    const exit = await process.wait()
    const { stdout, stderr } = await readAll(process.follow(0))
    assert.deepEqual([stdout, stderr], [bytes, Buffer.from([255])])
    assert.deepEqual([exit.outputBytes, exit.truncated], [10, false])
  })

  test('a process without output returns one empty chunk that is done', async () => {
    const process = await subject().exec(id, ['true'])
    await process.wait()
    const chunks = await Array.fromAsync(process.follow(0))
    assert.deepEqual(chunks, [{ records: [], cursor: 0, truncated: false, done: true }])
    assert.deepEqual(await subject().driver.output(process.processId, 0), chunks[0])
  })

  test('a process with backpressure waits for its reader, and none of its 200 MB is dropped', async () => {
    const process = await subject().exec(id, ['head', '-c', String(3200 * 65_536), '/dev/zero'], { backpressure: true })
    let bytes = 0
    let cursor = 0
    // The reader stops and comes back, and is slow in between.
    for (let visits = 0; visits < 3; visits++) {
      for await (const chunk of process.follow(cursor, AbortSignal.timeout(30_000))) {
        assert.equal(chunk.truncated, false)
        bytes += chunk.records.reduce((sum, { data }) => sum + data.length, 0)
        cursor = chunk.cursor
        if (visits < 2 && bytes > (visits + 1) * 20 * MiB) break
      }
      if (visits < 2) {
        await delay(300)
        assert.equal(process.exit, undefined, 'it is held back')
      }
    }
    assert.equal(bytes, 3200 * 65_536)
    assert.equal((await process.wait()).reason, 'exited')
  })

  test('each piece of output has the cursor after it', async () => {
    const process = await subject().exec(id, [
      'bash',
      '-c',
      'for i in 1 2 3 4; do echo $i; echo $i >&2; sleep 0.02; done',
    ])
    await process.wait()
    const pieces = (await Array.fromAsync(process.follow(0))).flatMap(({ records }) => records)
    assert.ok(pieces.length >= 4)
    for (const [index, { cursor }] of pieces.entries()) {
      const behind = (await Array.fromAsync(process.follow(cursor))).flatMap(({ records }) => records)
      assert.deepEqual(behind, pieces.slice(index + 1))
    }
  })

  test('the newest of 200 MB are kept, and the dropped output is reported', async () => {
    const process = await subject().exec(id, ['seq', '-f', '%01023.0f', '0', String(200 * 1024 - 1)])
    const exit = await settles(process.wait(), 'the end', 240_000)
    assert.equal(exit.exitCode, 0)
    assert.equal(exit.truncated, true)
    const { stdout, truncated } = await readAll(process.follow(0))
    assert.ok(exit.outputBytes >= 200 * MiB && stdout.length < exit.outputBytes)
    assert.ok(stdout.length >= 64 * MiB && stdout.length < 80 * MiB, `${stdout.length} bytes are kept`)
    assert.equal(truncated, true)
    const numbers = stdout.toString('latin1').split('\n').slice(1, -1).map(Number)
    assert.equal(numbers.at(-1), 200 * 1024 - 1)
    assert.ok(
      numbers.every((number, index) => number === numbers[0]! + index),
      'lines are missing in between',
    )
    const first = await subject().driver.output(process.processId, 0)
    assert.ok(first.truncated && first.records.length > 0 && first.cursor > 100 * MiB)
    const after = await subject().driver.output(process.processId, first.cursor)
    assert.equal(after.truncated, false)
  })

  test('a cursor continues where the last chunk ended, while the process runs and after', async () => {
    const code = 'for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.05; done'
    const process = await subject().exec(id, ['bash', '-c', code])
    let text = ''
    let cursor = 0
    for (let done = false; !done; await delay(5)) {
      const chunk = await subject().driver.output(process.processId, cursor)
      assert.ok(chunk.cursor >= cursor)
      ;({ cursor, done } = chunk)
      text += chunk.records.map(({ data }) => data.toString()).join('')
    }
    assert.equal(
      text,
      range(1, 9)
        .map((number) => `line ${number}\n`)
        .join(''),
    )
    const atTheEnd = await subject().driver.output(process.processId, cursor)
    assert.deepEqual(atTheEnd, { records: [], cursor, truncated: false, done: true })
    const all = await subject().driver.output(process.processId, 0)
    assert.equal(all.records.map(({ data }) => data.toString()).join(''), text)
  })

  test('a cursor that was never returned is refused', async () => {
    const short = await subject().exec(id, ['echo', 'hello'])
    const long = await subject().exec(id, ['head', '-c', '3000000', '/dev/zero'])
    for (const process of [short, long]) {
      await process.wait()
      for (const cursor of [1, 3, 7, 10 ** 12]) {
        await assert.rejects(subject().driver.output(process.processId, cursor), { code: 'invalid_request' })
        await assert.rejects(settles(Array.fromAsync(process.follow(cursor)), `follow(${cursor})`), {
          code: 'invalid_request',
        })
      }
    }
  })

  test('follow() yields output as it arrives, from a cursor on', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'echo one; sleep 0.2; echo two; sleep 30; echo three'])
    let cursor = 0
    for await (const chunk of process.follow(0)) {
      ;({ cursor } = chunk)
      if (chunk.records.length > 0) break
    }
    const second = await stdoutWithin(process, cursor)
    assert.equal(second, 'two\n')
    assert.equal(process.exit, undefined)
    await process.kill('SIGKILL', 'tree')
  })

  test('an aborted follow() ends at once and leaves the process alone', async () => {
    const process = await subject().exec(id, ['bash', '-c', 'echo one; sleep 100'])
    const controller = new AbortController()
    const reading = readAll(process.follow(0, controller.signal))
    await stdoutWith(process, 'one')
    controller.abort()
    const { stdout } = await settles(reading, 'the reading')
    assert.equal(stdout.toString(), 'one\n')
    assert.deepEqual(await settles(Array.fromAsync(process.follow(0, controller.signal))), [])
    assert.equal(process.exit, undefined)
    await process.kill('SIGKILL', 'tree')
  })

  test('several followers and a late one see the same output', async () => {
    const code = 'for i in $(seq 2000); do echo $i; [ $((i % 200)) = 0 ] && sleep 0.02; done; true'
    const process = await subject().exec(id, ['bash', '-c', code])
    const early = [readAll(process.follow(0)), readAll(process.follow(0))]
    await process.wait()
    const all = await Promise.all([...early, readAll(process.follow(0))])
    const wanted = range(1, 2001)
      .map((number) => `${number}\n`)
      .join('')
    for (const { stdout } of all) assert.equal(stdout.toString(), wanted)
  })

  test('a slow follower delays neither the process nor its end', async () => {
    const process = await subject().exec(id, ['head', '-c', '20000000', '/dev/zero'])
    const slow = process.follow(0)[Symbol.asyncIterator]()
    await slow.next()
    const exit = await settles(process.wait())
    assert.equal(exit.outputBytes, 20_000_000)
    const { stdout } = await readAll(process.follow(0))
    assert.equal(stdout.length, 20_000_000)
    await slow.return?.()
  })

  async function stdoutWithin(process: Awaited<ReturnType<ReturnType<typeof subject>['exec']>>, cursor: number) {
    for await (const { records } of process.follow(cursor, AbortSignal.timeout(10_000)))
      if (records.length > 0) return records.map(({ data }) => data.toString()).join('')
    return undefined
  }
}

/** Returns the whole numbers from `start` up to, but not including, `end`. */
function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}
