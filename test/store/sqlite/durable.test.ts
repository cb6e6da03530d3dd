import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { transaction } from '../../../src/db/transaction.ts'
import { openDatabase } from '../../../src/db/open.ts'

test('only durable transactions sync their commit, and a failed one restores the mode', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const db = await openDatabase(join(folder, 'carrel.db'))
  const level = async (on = db) =>
    (await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(on)).rows[0]!.synchronous
  assert.equal(await level(), 1)
  assert.equal(await transaction(db, 'durable', (transaction) => level(transaction)), 2)
  assert.equal(await level(), 1)
  await assert.rejects(
    transaction(db, 'durable', async (transaction) => {
      await transaction.insertInto('accounts').values({ id: 'x', name: 'x', created_at: 0, shared: 0 }).execute()
      throw new Error('no')
    }),
    /^Error: no$/,
  )
  assert.equal(await level(), 1)
  assert.deepEqual(await db.selectFrom('accounts').selectAll().execute(), [])
  await db.destroy()
})
