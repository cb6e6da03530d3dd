import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { openDatabase } from '../../../src/db/open.ts'
import { newDatabase } from '../../support/test-database.ts'

test('a file that is not a database is refused with its path', async (t) => {
  const path = await newDatabase(t)
  writeFileSync(path, 'this is no database'.repeat(100))
  await assert.rejects(openDatabase(path), (error: Error) => error.message.includes(path))
})
