import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeLimitMs } from './time-limit.ts'

test('a time limit is no limit only at 0, and is otherwise a whole number of milliseconds', () => {
  for (const [given, expected] of [
    [0, undefined],
    [-0, undefined],
    [0.2, 1],
    [1100.0000000000002, 1101],
    [5, 5],
  ] as const)
    assert.equal(timeLimitMs(given), expected, String(given))
})
