import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onlyCookie } from './only-cookie.ts'

for (const [header, value] of [
  ['__Host-a=1', '1'],
  ['b=2;\t__Host-a=1 ; c=3', '1'],
  ['__Host-a=', ''],
  ['__Host-a=1=2', '1=2'],
  [undefined, undefined],
  ['', undefined],
  ['__Host-ab=1', undefined],
  ['x__Host-a=1', undefined],
  ['__Host-a=1; __Host-a=2', undefined],
  ['__Host-a=1; __Host-a=1', undefined],
  ['\u00A0__Host-a=1', undefined],
  ['b=2; \u00A0__Host-a=1', undefined],
  ['\uFEFF__Host-a=1', undefined],
  ['\u00A0__Host-a=2; __Host-a=1', '1'],
] as const)
  test(`${JSON.stringify(header)} has ${value === undefined ? 'no such cookie' : JSON.stringify(value)}`, () => {
    assert.equal(onlyCookie(header, '__Host-a'), value)
  })
