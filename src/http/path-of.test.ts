import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathOf } from './path-of.ts'

for (const [target, path] of [
  ['/api/v1/nope?a=/b', '/api/v1/nope'],
  ['/%61pi/v1/nope', '/api/v1/nope'],
  ['http://host:80/api/v1/nope', '/api/v1/nope'],
  ['HTTPS://host/v1/x?y', '/v1/x'],
  ['http://host', ''],
  ['/api/v1/%zz', '/api/v1/%zz'],
  ['*', '*'],
] as const)
  test(`the path of ${target}`, () => assert.equal(pathOf(target), path))
