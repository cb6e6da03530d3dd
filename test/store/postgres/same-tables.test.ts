import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../../../src/db/open.ts'
import { openTestDatabase } from '../../support/test-database.ts'
import { postgresTables } from './postgres-tables.ts'
import { sqliteTables } from './sqlite-tables.ts'

test('after all migrations both databases have the same tables, columns, keys and indexes', async (t) => {
  const sqlite = await openDatabase(':memory:')
  t.after(() => sqlite.destroy())
  const [expected, found] = [await sqliteTables(sqlite), await postgresTables(await openTestDatabase(t))]
  assert.ok(expected.size > 30)
  assert.deepEqual([...found.keys()], [...expected.keys()])
  for (const [name, table] of expected) assert.deepEqual(found.get(name), table, name)
})

test('every text is compared by its bytes, on a server that compares by the rules of a language', async (t) => {
  const db = await openTestDatabase(t)
  // Before version 15 the server of a run has to compare by bytes, too.
  const { rows: order } = await sql<{ isOfLanguage: boolean; canBe: boolean }>`
    select 'a' < 'B' as "isOfLanguage", current_setting('server_version_num')::int >= 150000 as "canBe"`.execute(db)
  assert.equal(order[0]?.isOfLanguage, order[0]?.canBe)
  const { rows: others } = await sql`
    select attrelid::regclass::text as table, attname as column from pg_attribute join pg_class c on c.oid = attrelid
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname not like 'kysely%'
      and attcollation not in (0, '"C"'::regcollation)`.execute(db)
  assert.deepEqual(others, [])
})
