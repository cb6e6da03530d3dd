import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aptReason, parsePolicy, parseStatus } from './apt.js'

test('parsePolicy() returns the packages that have a candidate', () => {
  const output = [
    'crun:',
    '  Installed: (none)',
    '  Candidate: 1.8.1-1',
    '  Version table:',
    '     1.8.1-1 500',
    'lxcfs:',
    '  Installed: (none)',
    '  Candidate: (none)',
    '  Version table:',
  ].join('\n')
  assert.deepEqual(parsePolicy(output), new Set(['crun']))
})

test('parseStatus() counts fetching as the first half of the work', () => {
  assert.equal(parseStatus('dlstatus:1:40.0000:Retrieving file 1 of 3'), '20 %')
  assert.equal(parseStatus('pmstatus:crun:40.0000:Unpacking crun (amd64)'), '70 %')
  assert.equal(parseStatus('media-change:disc:drive'), '')
})

test('aptReason() returns the first error without its prefix', () => {
  assert.equal(aptReason('Reading…\nE: Unable to locate package nope\nE: More\n'), 'Unable to locate package nope')
  assert.equal(aptReason('something else.\n\n'), 'something else')
})
