import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Results } from './results.js'

const one = { passed: 1, failed: 0, skipped: 0 }

test('tests of a file that failed alike stand together, and no more than some are named', () => {
  const results = new Results()
  results.add({ passed: 2, failed: 9, skipped: 0 })
  for (let i = 1; i <= 7; i++) results.list('a', new Error('no\n  room'), [`t${i}`])
  results.list('a', 'late', ['other'])
  results.list('b', 'gone')
  assert.equal(
    results.text,
    `
Failed:
  a: no room
    ✖ t1
    ✖ t2
    ✖ t3
    ✖ t4
    ✖ t5
    ✖ and 2 more
  a: late
    ✖ other
  b: gone

2 passed, 9 failed`,
  )
})

test('the last line names skipped tests only where there are any', () => {
  const results = new Results()
  results.add(one)
  assert.equal(results.text, '\n1 passed, 0 failed')
  results.add({ passed: 0, failed: 0, skipped: 2 })
  results.listSkip('a', { name: 't1', reason: 'no disk limits' })
  results.listSkip('b', { name: 't2', reason: '' })
  assert.equal(results.text, '\nSkipped:\n  a: t1: no disk limits\n  b: t2\n\n1 passed, 0 failed, 2 skipped')
})

test('a run without a test has not succeeded, nor has one with a failure', () => {
  const results = new Results()
  assert.equal(results.succeeded, false)
  results.add(one)
  assert.equal(results.succeeded, true)
  results.add({ passed: 0, failed: 1, skipped: 0 })
  assert.equal(results.succeeded, false)
})
