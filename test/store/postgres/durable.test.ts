import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, type Kysely } from 'kysely'
import { openDatabase } from '../../../src/db/open.ts'
import type { Database } from '../../../src/db/schema.ts'
import { transaction } from '../../../src/db/transaction.ts'
import { newDatabase } from '../../support/test-database.ts'

test('a durable transaction waits for the disk, also where the operator has turned that off for the others', async (t) => {
  const location = await newDatabase(t)
  await alterDatabase(location, 'synchronous_commit = off')
  const db = await openDatabase(location)
  t.after(() => db.destroy())
  for (let count = 0; count < 3; count++) {
    assert.equal(await transaction(db, 'operational', (trx) => valueOf(trx, 'synchronous_commit')), 'off')
    assert.equal(await transaction(db, 'durable', (trx) => valueOf(trx, 'synchronous_commit')), 'on')
  }
})

test('transactions that write are serializable, and those that read see one moment', async (t) => {
  const db = await openDatabase(await newDatabase(t))
  t.after(() => db.destroy())
  const level = (trx: Kysely<Database>) => valueOf(trx, 'transaction_isolation')
  for (const kind of ['operational', 'durable'] as const)
    assert.equal(await transaction(db, kind, level), 'serializable')
  assert.equal(await transaction(db, 'read', level), 'repeatable read')
})

async function valueOf(db: Kysely<Database>, setting: string): Promise<string> {
  const { rows } = await sql<{ value: string }>`select current_setting(${setting}) as value`.execute(db)
  return rows[0]!.value
}

/** The setting holds for connections that are made from then on. */
async function alterDatabase(location: string, setting: string): Promise<void> {
  const db = await openDatabase(location)
  await sql`alter database ${sql.id(new URL(location).pathname.slice(1))} set ${sql.raw(setting)}`.execute(db)
  await db.destroy()
}
