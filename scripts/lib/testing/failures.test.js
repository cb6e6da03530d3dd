import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failures } from './failures.js'

test('tests of a file that failed alike stand together, and no more than some are named', () => {
  const failures = new Failures()
  for (let i = 1; i <= 7; i++) failures.add({ file: 'a', name: `t${i}`, error: new Error('no\n  room') })
  failures.add({ file: 'a', name: 'other', error: 'late' })
  failures.add({ file: 'b', error: undefined })
  assert.equal(
    failures.text,
    `  a: no room
    ✖ t1
    ✖ t2
    ✖ t3
    ✖ t4
    ✖ t5
    ✖ and 2 more
  a: late
    ✖ other
  b`,
  )
})

test('there are none at first', () => {
  assert.equal(new Failures().any, false)
})
