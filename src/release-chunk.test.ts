import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseChunk } from './release-chunk.ts'

test('a chunk that is all of its memory is empty afterwards', () => {
  const chunk = Buffer.alloc(65_536)
  releaseChunk(chunk)
  assert.equal(chunk.byteLength, 0)
})

test('a part of something larger, a pooled one and a small one are left as they are', () => {
  const whole = Buffer.alloc(65_536, 'x')
  for (const chunk of [whole.subarray(1), whole.subarray(0, 5000), Buffer.from('y'.repeat(5000)), Buffer.alloc(100)]) {
    const { byteLength } = chunk
    releaseChunk(chunk)
    if (chunk.buffer === whole.buffer || byteLength < 4096) assert.equal(chunk.byteLength, byteLength)
  }
  assert.equal(whole.toString('latin1', 0, 3), 'xxx')
})
