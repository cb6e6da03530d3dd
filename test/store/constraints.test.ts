import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { authenticateToken, createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { openTestDatabase } from '../support/test-database.ts'

async function open(t: TestContext) {
  const db = await openTestDatabase(t)
  return db
}

test('a token is found by its hash only, until it expires or is revoked', async (t) => {
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

test('a token of an account that does not exist cannot be created', async (t) => {
  const db = await open(t)
  await assert.rejects(createToken(db, 'nobody', 'a'), /foreign key/i)
})
