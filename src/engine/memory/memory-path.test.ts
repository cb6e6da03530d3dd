import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../config/limits.ts'
import { memoryPath, memoryPrefix } from './memory-path.ts'

test('memoryPath() gives every spelling of a path one name', () => {
  for (const [path, name] of [
    ['a/x', 'a/x'],
    ['/a/x', 'a/x'],
    ['//a//x/', 'a/x'],
    ['./a/./x', 'a/x'],
    ['a/../x', 'x'],
    ['../../x', 'x'],
    ['.hidden', '.hidden'],
    ['...', '...'],
    [' ', ' '],
    ['a\\x', 'a\\x'],
    ['a'.repeat(limits.memoryPathLength), 'a'.repeat(limits.memoryPathLength)],
  ] as const)
    assert.equal(memoryPath(path), name, path)
})

test('memoryPath() refuses what names no file', () => {
  for (const path of ['', '/', '.', './', 'a/..', 'a\0', '\ud83d', 'a'.repeat(limits.memoryPathLength + 1)])
    assert.throws(() => memoryPath(path), { code: 'invalid_request' }, path)
})

test('memoryPrefix() keeps what follows the last slash, and gives the rest its one name', () => {
  for (const [prefix, start] of [
    ['', ''],
    ['/', ''],
    ['./', ''],
    ['/data/', 'data/'],
    ['data//re', 'data/re'],
    ['x/../data/.', 'data/.'],
    ['..', '..'],
  ] as const)
    assert.equal(memoryPrefix(prefix), start, prefix)
})
