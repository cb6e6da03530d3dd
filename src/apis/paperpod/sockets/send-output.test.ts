import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputPiece, ProcessHandle } from '../../../engine/types.ts'
import { ExactCursor } from './exact-cursor.ts'
import { sendOutput } from './send-output.ts'

const text = { stdout: 'a é € 😀 '.repeat(40), stderr: '😀ß'.repeat(60) }

/** Returns a process whose output is split anywhere, also inside characters. */
function processOf(pieces: OutputPiece[]): ProcessHandle {
  return {
    processId: 'p',
    meta: {},
    async *follow(from: number, signal: AbortSignal) {
      const records = pieces.filter(({ start }) => start >= from)
      // Chunks of any size.
      while (records.length > 0 && !signal.aborted) {
        const part = records.splice(0, 1 + random(5))
        yield { records: part, cursor: part.at(-1)!.cursor, truncated: false, done: false }
      }
    },
  } as unknown as ProcessHandle
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}

function cut(): OutputPiece[] {
  const left = { stdout: Buffer.from(text.stdout), stderr: Buffer.from(text.stderr) }
  const pieces: OutputPiece[] = []
  for (let start = 0; left.stdout.length + left.stderr.length > 0;) {
    const stream = left.stderr.length === 0 || (left.stdout.length > 0 && random(2) === 0) ? 'stdout' : 'stderr'
    const data = left[stream].subarray(0, 1 + random(7))
    left[stream] = left[stream].subarray(data.length)
    pieces.push({ stream, data, start, cursor: start + 5 + data.length })
    start += 5 + data.length
  }
  return pieces
}

test('a client that resumes from any cursor, any number of times, gets every byte once', async () => {
  for (let round = 0; round < 100; round++) {
    const process = processOf(cut())
    const got = { stdout: '', stderr: '' }
    let cursor: number | string = 0
    for (let isOver = false; !isOver;) {
      const gone = new AbortController()
      let left = 1 + random(12)
      const send = async (type: string, make: object | (() => object)) => {
        if (gone.signal.aborted) return
        const fields = (typeof make === 'function' ? make() : make) as { text: string; cursor: number | string }
        got[type as 'stdout' | 'stderr'] += fields.text
        ;({ cursor } = fields)
        if (--left === 0) gone.abort()
      }
      await sendOutput({ send, readBytes: 1024 }, process, {
        processId: 'own-name',
        cursor: new ExactCursor(cursor),
        encoding: 'utf8',
        signal: gone.signal,
      })
      isOver = !gone.signal.aborted
    }
    assert.deepEqual(got, text)
  }
})

test('a cursor that never came with output is refused', () => {
  for (const cursor of ['', 'x', '1+2', '-1', '1+2+3+4', '99999999999999999'])
    assert.throws(() => new ExactCursor(cursor), { code: 'invalid_request' }, cursor)
})
