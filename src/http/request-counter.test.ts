import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestCounter } from './request-counter.ts'

test('allows N requests within a minute of the first one, then starts anew', () => {
  const counter = new RequestCounter(2)
  assert.deepEqual(counter.count('a', 1000), { limit: 2, remaining: 1, resetAtMs: 61_000, isOver: false })
  assert.deepEqual(counter.count('a', 30_000), { limit: 2, remaining: 0, resetAtMs: 61_000, isOver: false })
  assert.deepEqual(counter.count('a', 60_999), { limit: 2, remaining: 0, resetAtMs: 61_000, isOver: true })
  assert.deepEqual(counter.count('b', 60_999), { limit: 2, remaining: 1, resetAtMs: 120_999, isOver: false })
  assert.deepEqual(counter.count('a', 61_000), { limit: 2, remaining: 1, resetAtMs: 121_000, isOver: false })
})

test('keeps at most maxKeys windows, and drops those that are over', () => {
  const counter = new RequestCounter(1, 100)
  for (let index = 0; index < 1000; index++) {
    counter.count(`key-${index}`, 1000 + index)
    assert.ok(counter.keys <= 100)
  }
  assert.equal(counter.count('key-999', 2000).isOver, true)
  counter.count('later', 70_000)
  assert.equal(counter.keys, 1)
})

test('a clock that is set back locks no client out for longer than a minute', () => {
  const counter = new RequestCounter(1)
  counter.count('a', 10_000_000)
  assert.deepEqual(counter.count('a', 5_000), { limit: 1, remaining: 0, resetAtMs: 65_000, isOver: false })
})
