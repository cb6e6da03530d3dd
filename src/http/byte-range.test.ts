import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CarrelError } from '../errors.ts'
import { parseRange } from './byte-range.ts'

describe('parseRange()', () => {
  for (const [header, size, range] of [
    ['bytes=0-0', 10, { start: 0, end: 1 }],
    ['bytes=0-9', 10, { start: 0, end: 10 }],
    ['bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=5-', 10, { start: 5, end: 10 }],
    ['bytes=5-99', 10, { start: 5, end: 10 }],
    ['bytes=-1', 10, { start: 9, end: 10 }],
    ['bytes=-10', 10, { start: 0, end: 10 }],
    ['bytes=-11', 10, { start: 0, end: 10 }],
    [' bytes=1-2 ', 10, { start: 1, end: 3 }],
    ['bytes=0-', 1, { start: 0, end: 1 }],
  ] as const)
    test(`returns ${range.start} to ${range.end} for "${header}" of ${size} bytes`, () =>
      assert.deepEqual(parseRange(header, size), range))

  for (const header of [
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-1,2-3',
    'lines=0-1',
    'bytes=1-2-3',
    'bytes=--1',
  ])
    test(`returns undefined for ${JSON.stringify(header)}`, () => assert.equal(parseRange(header, 10), undefined))

  for (const [header, size] of [
    ['bytes=10-', 10],
    ['bytes=10-11', 10],
    ['bytes=-0', 10],
    ['bytes=5-4', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
    ['bytes=99999999999999999999-', 10],
  ] as const)
    test(`refuses "${header}" of ${size} bytes and reports the size`, () =>
      assert.throws(
        () => parseRange(header, size),
        (error: CarrelError) => error.code === 'range_not_satisfiable' && error.details.sizeBytes === size,
      ))
})
