import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlace } from './place.ts'

test('a colon marks a path in a sandbox, and names the sandbox', () => {
  const inSandbox = (path: string, sessionId?: string, wantsFolder = false, isContent = false) =>
    ({ kind: 'sandbox', path, sessionId, wantsFolder, isContent }) as const
  assert.deepEqual(parsePlace(':a'), inSandbox('/workspace/a'))
  assert.deepEqual(parsePlace(':/etc/hosts'), inSandbox('/etc/hosts'))
  assert.deepEqual(parsePlace('one:a:b'), inSandbox('/workspace/a:b', 'one'))
  assert.deepEqual(parsePlace(':a/', '/tmp'), inSandbox('/tmp/a', undefined, true))
  assert.deepEqual(parsePlace(':'), inSandbox('/workspace', undefined, true))
  assert.deepEqual(parsePlace(':../..'), inSandbox('/'))
  assert.deepEqual(parsePlace(':a/.'), inSandbox('/workspace/a', undefined, false, true))
  assert.deepEqual(parsePlace(':.'), inSandbox('/workspace', undefined, false, true))
})

test('a path without a colon, or with a slash before it, is local', () => {
  for (const path of ['a', './a:b', '/a:b', '../a:b', 'ü:b'])
    assert.deepEqual(parsePlace(path), { kind: 'local', path })
  assert.deepEqual(parsePlace('-'), { kind: 'stream' })
  for (const path of ['C:\\a', 'd:/a']) {
    assert.deepEqual(parsePlace(path, '/workspace', 'win32'), { kind: 'local', path })
    assert.equal(parsePlace(path, '/workspace', 'linux').kind, 'sandbox')
  }
})
