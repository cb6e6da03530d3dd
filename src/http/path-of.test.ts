import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedPath, pathOf } from './path-of.ts'

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

for (const [target, path] of [
  ['/v1/shares/pp_share_x?a=b', '/v1/shares/…'],
  ['/v1/shares/pp_share_x/access-sessions', '/v1/shares/…/access-sessions'],
  ['http://host/%73hare/pp_share_x', '/share/…'],
  ['/v1/computers/c/shares/links/s', '/v1/computers/c/shares/links/s'],
] as const)
  test(`the log has ${path} for ${target}`, () => assert.equal(loggedPath(target), path))
