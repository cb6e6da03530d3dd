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

test('findTestFiles() finds this file, and once for each database one that runs on both', () => {
  const { unit } = findTestFiles(['scripts/lib/testing'])
  assert.ok(unit.some(({ file }) => file === 'scripts/lib/testing/test-files.test.js'))
  const file = 'test/ledger/ledger.test.ts'
  assert.deepEqual(findTestFiles([file]).host, [
    { file, database: 'sqlite' },
    { file, database: 'postgres' },
  ])
})
