import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortDuration } from './duration.ts'

test('a duration is shown in the unit that tells something of it', () => {
  for (const [seconds, text] of [
    [0, '0 s'],
    [16.2, '16 s'],
    [59.9, '1.0 min'],
    [270, '4.5 min'],
    [3599, '1.00 h'],
    [4500, '1.25 h'],
  ] as const)
    assert.equal(shortDuration(seconds), text)
})
