import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/accounts/owner.ts'
import { authenticateToken, createToken } from '../../src/engine/accounts/tokens.ts'
import { closeUsage, extendUsage, openUsage } from '../../src/engine/usage/intervals.ts'

async function open(t: TestContext) {
  const db = await openDatabase(':memory:')
  t.after(() => db.destroy())
  return db
}

test('a token is known by its hash alone, until it expires or is revoked', async (t) => {
  const db = await open(t)
  const account = await createAccount(db, 'one')
  const token = await createToken(db, account, 'a', 60_000)
  assert.equal((await authenticateToken(db, token)).accountId, account)
  assert.ok(!JSON.stringify(await db.selectFrom('tokens').selectAll().execute()).includes(token))
  await assert.rejects(authenticateToken(db, `${token}x`), { code: 'unauthenticated' })
  await db.updateTable('tokens').set({ expires_at: Date.now() }).execute()
  await assert.rejects(authenticateToken(db, token), { code: 'unauthenticated' })
  await db.updateTable('tokens').set({ expires_at: null, revoked_at: 1 }).execute()
  await assert.rejects(authenticateToken(db, token), { code: 'unauthenticated' })
})

test('a token of an account that does not exist cannot be made', async (t) => {
  const db = await open(t)
  await assert.rejects(createToken(db, 'nobody', 'a'), /FOREIGN KEY/)
})

test('usage moves on while a computer runs, and ends at the last known moment after a crash', async (t) => {
  const db = await open(t)
  const interval = () => db.selectFrom('usage_intervals').select(['ended_at', 'open']).executeTakeFirstOrThrow()
  const later = Date.now() + 60_000
  await openUsage(db, 'account', 'computer')
  await extendUsage(db, later)
  assert.deepEqual({ ...(await interval()) }, { ended_at: later, open: 1 })
  await closeUsage(db, 'another', later + 1)
  await closeUsage(db, 'computer')
  assert.deepEqual({ ...(await interval()) }, { ended_at: later, open: 0 })
  await extendUsage(db, later + 60_000)
  await closeUsage(db, 'computer', later + 60_000)
  assert.deepEqual({ ...(await interval()) }, { ended_at: later, open: 0 })
})
