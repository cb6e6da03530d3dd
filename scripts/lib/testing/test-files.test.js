import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTestFiles, isWanted } from './test-files.js'

test('isWanted() takes files, folders and patterns', () => {
  const file = 'src/engine/computers/create.test.ts'
  for (const wanted of [[], [file], [`./${file}`], ['src/engine'], ['src/engine/'], ['src/**/create.*']]) {
    assert.ok(isWanted(file, wanted), JSON.stringify(wanted))
  }
  for (const wanted of [['src/eng'], ['src/*.ts'], ['test']]) assert.ok(!isWanted(file, wanted), JSON.stringify(wanted))
})

test('findTestFiles() finds this file', () => {
  const { unit } = findTestFiles(['scripts/lib/testing'])
  assert.ok(unit.includes('scripts/lib/testing/test-files.test.js'))
})
