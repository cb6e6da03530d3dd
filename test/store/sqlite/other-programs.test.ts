import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { transaction } from '../../../src/db/transaction.ts'
import { openDatabase } from '../../../src/db/open.ts'

test('a transaction that reads before it writes is not broken by another program', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-store-'))
  const path = join(directory, 'carrel.db')
  const db = await openDatabase(path)
  const other = new DatabaseSync(path, { timeout: 0 })
  t.after(async () => {
    other.close()
    await db.destroy()
    rmSync(directory, { recursive: true })
  })
  const write = () => other.exec("INSERT INTO accounts (id, name, created_at) VALUES ('other', 'x', 0)")
  await transaction(db, 'operational', async (trx) => {
    await trx.selectFrom('accounts').selectAll().execute()
    assert.throws(write, /locked/)
    await trx.insertInto('accounts').values({ id: 'own', name: 'x', created_at: 0, shared: 0 }).execute()
  })
  write()
  const rows = await db.selectFrom('accounts').select('id').orderBy('id').execute()
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['other', 'own'],
  )
})
