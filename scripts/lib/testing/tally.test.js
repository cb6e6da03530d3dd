import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from './tally.js'

test('the closing line names skipped tests only where there are any', () => {
  const tally = new Tally()
  tally.passed = 3
  assert.equal(tally.line, '3 passed, 0 failed')
  tally.skipped = 1
  assert.equal(tally.line, '3 passed, 0 failed, 1 skipped')
})

test('a run without a test has not succeeded', () => {
  const tally = new Tally()
  assert.equal(tally.succeeded, false)
  tally.passed = 1
  assert.equal(tally.succeeded, true)
  tally.failed = 1
  assert.equal(tally.succeeded, false)
})
