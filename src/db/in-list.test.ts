import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inList } from './in-list.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

test('inList() finds the rows of a list, and none for an empty list', async (t) => {
  const db = await openTestDatabase(t)
  const row = { name: 'n', created_at: 1, created_by: null, shared: 0, delete_at: null }
  await db
    .insertInto('accounts')
    .values(['a', 'b', 'c'].map((id) => ({ id, ...row })))
    .execute()
  const found = async (ids: string[]) => {
    const rows = await db
      .selectFrom('accounts')
      .select('id')
      .where((eb) => inList(eb, 'id', ids))
      .execute()
    return rows.map(({ id }) => id)
  }
  assert.deepEqual(await found(['a', 'c', 'x']), ['a', 'c'])
  assert.deepEqual(await found([]), [])
  const { numDeletedRows } = await db
    .deleteFrom('accounts')
    .where((eb) => eb.or([inList(eb, 'id', []), eb('name', '=', 'another')]))
    .executeTakeFirst()
  assert.equal(numDeletedRows, 0n)
})
