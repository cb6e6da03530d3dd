import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { test } from 'node:test'
import { project } from '../project.js'
import { databasesOf, onBoth } from './databases.js'

test('a test file runs on both databases, on the one that a folder around it is named after, or on SQLite', () => {
  for (const file of ['src/engine/idempotency/keys.test.ts', 'test/ledger/ledger.test.ts'])
    assert.deepEqual(databasesOf(file), ['sqlite', 'postgres'])
  assert.deepEqual(databasesOf('test/store/sqlite/full-disk.test.ts'), ['sqlite'])
  assert.deepEqual(databasesOf('src/db/postgres/pool.test.ts'), ['postgres'])
  assert.deepEqual(databasesOf('test/paperpod/files.test.ts'), ['sqlite'])
})

test('the suites of the store, the ledger, idempotency and identity run on both', () => {
  const files = globSync('{src,test}/**/*.test.ts', { cwd: project.root })
  for (const pattern of onBoth)
    assert.ok(
      files.some((file) => matchesGlob(file, pattern)),
      pattern,
    )
  const both = files.filter((file) => databasesOf(file).length === 2)
  for (const suite of [
    'test/store/',
    'test/ledger/',
    'test/identity/',
    'test/paperpod/idempotency',
    'src/engine/identity/',
    'src/engine/idempotency/',
  ])
    assert.ok(
      both.some((file) => file.startsWith(suite)),
      suite,
    )
})
