import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocalName, localMode } from './local-file.ts'

test('a folder from Windows, which has no modes, can be entered', () => {
  const stats = (mode: number, isFolder: boolean) => ({ mode, isDirectory: () => isFolder })
  assert.equal(localMode(stats(0o40666, true), 'win32'), 0o755)
  assert.equal(localMode(stats(0o100666, false), 'win32'), 0o644)
  assert.equal(localMode(stats(0o100755, false), 'linux'), 0o755)
})

test('names that mean something else on Windows are refused there', () => {
  const harmless = ['a', '.hidden', 'a.txt', 'ü ö', 'console', 'nullable', 'com10', 'a.b.c']
  const meaning = ['..\\..\\a', 'C:a', 'a:stream', 'NUL', 'nul.txt', 'COM1', 'a.', 'a ', 'a?', 'a\n']
  for (const name of [...harmless, ...meaning]) {
    assert.equal(isLocalName(name, 'linux'), true, name)
    assert.equal(isLocalName(name, 'win32'), harmless.includes(name), name)
  }
})
