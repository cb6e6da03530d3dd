import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseTimeMs } from '../../db/database-time.ts'
import { certainlyPast, possiblyPast } from './deletion-time.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'

test('what one server deletes, no other can still keep, however its clock goes', async (t) => {
  const db = await openTestDatabase(t)
  t.mock.timers.enable({ apis: ['Date'] })
  for (const deletingMs of [-3_600_000, 0, 3_600_000])
    for (const keepingMs of [-3_600_000, 0, 3_600_000]) {
      const now = await databaseTimeMs(db)
      t.mock.timers.setTime(now + deletingMs)
      const deleted = await certainlyPast(db)
      t.mock.timers.setTime(now + keepingMs)
      const kept = await possiblyPast(db)
      assert.ok(deleted <= kept, `${deletingMs} ${keepingMs}`)
    }
})
