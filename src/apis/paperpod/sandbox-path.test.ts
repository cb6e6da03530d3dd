import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { filePath, sandboxPath, uploadPath } from './sandbox-path.ts'

const noFile = { code: 'invalid_request', message: /names a directory/ }

describe('sandboxPath()', () => {
  test('puts a relative path under /workspace, and names every place in one way', () => {
    for (const [given, path] of [
      ['a', '/workspace/a'],
      ['./a', '/workspace/a'],
      ['~', '/workspace/~'],
      ['', '/workspace'],
      ['../a', '/a'],
      ['/a', '/a'],
      ['/workspace/a/../b//c', '/workspace/b/c'],
      ['//a/./b/', '/a/b'],
      ['/../..', '/'],
      ['/', '/'],
      ['a\\b', '/workspace/a\\b'],
    ] as const)
      assert.equal(sandboxPath(given), path, given)
  })
})

describe('filePath()', () => {
  test('refuses a path that can only be a directory', () => {
    for (const path of ['', '/', 'a/', 'a/.', 'a/..', '..', '.']) assert.throws(() => filePath(path), noFile, path)
    for (const path of ['a', 'a/...', '.a', 'a/..b']) assert.equal(filePath(path), `/workspace/${path}`)
  })
})

describe('uploadPath()', () => {
  test('puts a file into a directory under the last part of its own name', () => {
    for (const name of ['b c.txt', '/etc/b c.txt', '../../b c.txt', 'C:\\dir\\b c.txt'])
      assert.equal(uploadPath('a/', name), '/workspace/a/b c.txt', name)
    assert.equal(uploadPath('/', 'x'), '/x')
    assert.equal(uploadPath('a/..', 'x'), '/workspace/x')
  })

  test('does not need the name where the path has one', () => {
    assert.equal(uploadPath('a', 'b'), '/workspace/a')
    assert.equal(uploadPath('a', undefined), '/workspace/a')
  })

  test('refuses a directory for a file without a usable name', () => {
    for (const name of [undefined, '', '.', '..', 'a/..', 'a/', 'a\0b'])
      assert.throws(() => uploadPath('a/', name), noFile, String(name))
  })
})
