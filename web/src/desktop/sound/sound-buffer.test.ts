import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SoundBuffer } from './sound-buffer.ts'

/** Frames whose left sample counts from `first`, and whose right sample is its negative. */
function frames(first: number, count: number): Int16Array {
  return Int16Array.from({ length: count * 2 }, (_, at) => (first + Math.floor(at / 2)) * (at % 2 === 0 ? 1 : -1))
}

function pull(buffer: SoundBuffer, count: number): { left: number[]; right: number[] } {
  const [left, right] = [new Float32Array(count), new Float32Array(count)]
  buffer.pull(left, right)
  const whole = (samples: Float32Array) => [...samples].map((sample) => Math.round(sample * 32_768) + 0)
  return { left: whole(left), right: whole(right) }
}

test('sound begins once enough has been collected, and both channels keep apart', () => {
  const buffer = new SoundBuffer({ startFrames: 4, maxFrames: 10 })
  buffer.push(frames(1, 3))
  assert.deepEqual(pull(buffer, 2).left, [0, 0])
  buffer.push(frames(4, 2))
  assert.deepEqual(pull(buffer, 3), { left: [1, 2, 3], right: [-1, -2, -3] })
})

test('what runs dry is silent until enough has been collected again', () => {
  const buffer = new SoundBuffer({ startFrames: 2, maxFrames: 10 })
  buffer.push(frames(1, 2))
  assert.deepEqual(pull(buffer, 4).left, [1, 2, 0, 0])
  buffer.push(frames(3, 1))
  assert.deepEqual(pull(buffer, 1).left, [0])
  buffer.push(frames(4, 1))
  assert.deepEqual(pull(buffer, 2).left, [3, 4])
})

test('of too much the oldest is dropped, down to what sound begins with', () => {
  const buffer = new SoundBuffer({ startFrames: 4, maxFrames: 10 })
  buffer.push(frames(1, 9))
  buffer.push(frames(10, 3))
  assert.equal(buffer.frames, 4)
  assert.deepEqual(pull(buffer, 4).left, [9, 10, 11, 12])
})

test('one piece that is larger than the buffer leaves its newest part', () => {
  const buffer = new SoundBuffer({ startFrames: 4, maxFrames: 10 })
  buffer.push(frames(1, 25))
  assert.equal(buffer.frames, 10)
  assert.deepEqual(pull(buffer, 10).left, [16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
})

test('the ring goes on for as long as it is fed, and leaves out half a frame', () => {
  const buffer = new SoundBuffer({ startFrames: 1, maxFrames: 7 })
  const heard: number[] = []
  for (let first = 1; first < 100; first += 3) {
    buffer.push(Int16Array.from([...frames(first, 3), 9999]))
    heard.push(...pull(buffer, 3).left)
  }
  assert.deepEqual(
    heard,
    Array.from({ length: 99 }, (_, at) => at + 1),
  )
})
