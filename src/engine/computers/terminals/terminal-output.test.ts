import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../config/limits.ts'
import type { OutputChunk, ProcessHandle } from '../../../drivers/driver.ts'
import { TerminalOutput } from './terminal-output.ts'

const headerBytes = 5

/** A process that has printed pieces of some sizes, the oldest of which can be dropped. Its cursors count headers, too. */
class Printed {
  readonly sizes: number[] = []
  kept = 0
  follows: number[] = []
  readonly exit = undefined

  /** The cursor before a piece. */
  before(index: number): number {
    return this.sizes.slice(0, index).reduce((sum, bytes) => sum + bytes + headerBytes, 0)
  }

  async outputEnd(): Promise<number> {
    return this.before(this.sizes.length)
  }

  async *follow(cursor: number): AsyncGenerator<OutputChunk> {
    this.follows.push(cursor)
    for (const [index, bytes] of this.sizes.entries()) {
      const [start, end] = [this.before(index), this.before(index + 1)]
      if (index < this.kept || start < cursor) continue
      const record = { stream: 'stdout' as const, data: Buffer.alloc(bytes), start, cursor: end }
      yield { records: [record], cursor: end, truncated: false, done: false }
    }
  }
}

const replay = limits.terminalReplayBytes
const piece = 64 * 1024

test('a client continues after the bytes that it has, and gets the newest output when it has none of them', async () => {
  const process = new Printed()
  const output = new TerminalOutput(process as unknown as ProcessHandle)
  assert.deepEqual(await output.from(0), { offset: 0, cursor: 0, skipBytes: 0, end: 0 })
  process.sizes.push(10, 20, 30)
  for (const [after, offset] of [
    [0, 0],
    [30, 30],
    [35, 35],
    [60, 60],
    [61, 0],
    [-1, 0],
  ] as const)
    assert.deepEqual(await output.from(after), { offset, cursor: 0, skipBytes: offset, end: 60 }, `after ${after}`)
  assert.deepEqual(process.follows, [0], 'what was counted is not read again')
  process.sizes.push(...Array.from({ length: 100 }, () => piece))
  const end = 60 + 100 * piece
  const { offset, cursor, skipBytes, end: printed } = await output.from(0)
  assert.deepEqual([offset, printed], [end - replay, end])
  assert.ok(skipBytes < 2 * piece, 'little is read that is not sent')
  const skipped = process.sizes
    .filter((_, index) => process.before(index) >= cursor)
    .reduce((sum, bytes) => sum + bytes)
  assert.equal(end - skipped + skipBytes, offset)
  assert.equal((await output.from(end - 7)).offset, end - 7)
})

test('after output was dropped, clients count on from what is kept', async () => {
  const process = new Printed()
  process.sizes.push(...Array.from({ length: 10 }, () => piece))
  process.kept = 8
  const output = new TerminalOutput(process as unknown as ProcessHandle)
  const { offset, cursor, skipBytes, end } = await output.from(0)
  assert.deepEqual([cursor, skipBytes], [process.before(8), 0])
  assert.deepEqual(await output.from(offset + piece), { offset: offset + piece, cursor, skipBytes: piece, end })
})
