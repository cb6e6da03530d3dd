import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApiKey } from './api-keys.ts'
import { createAccount } from './owner.ts'
import { authenticateToken, type Authenticated } from './tokens.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const code = (expected: string) => (error: unknown) => (error as { code: string }).code === expected

test('a token, role or membership that ends between authentication and insertion creates no key', async (t) => {
  const db = await openTestDatabase(t)
  const engine = { db }
  const accountId = await createAccount(db, 'account')
  const user = { account_id: accountId, name: 'n', email: null, created_at: 1, last_login_at: null, delete_at: null }
  await db
    .insertInto('users')
    .values({ id: 'user', ...user })
    .execute()
  await db
    .insertInto('memberships')
    .values({ account_id: accountId, user_id: 'user', role: 'owner', created_at: 1 })
    .execute()
  const signedIn = { kind: 'session', tokenId: 't', accountId, userId: 'user', role: 'owner' } as const
  const self: Authenticated = { ...signedIn, scopes: null, expiresAtMs: null }
  const parent = await createApiKey(engine, self, { name: 'parent' })
  const caller = await authenticateToken(db, parent.secret)
  assert.ok(await createApiKey(engine, caller, { name: 'child' }))

  await db.updateTable('memberships').set({ role: 'member' }).execute()
  for (const asBefore of [self, caller])
    await assert.rejects(createApiKey(engine, asBefore, { name: 'no admin any more' }), code('forbidden'))
  await db.updateTable('memberships').set({ role: 'owner' }).execute()
  await db.updateTable('tokens').set({ revoked_at: 1 }).where('id', '=', parent.id).execute()
  await assert.rejects(createApiKey(engine, caller, { name: 'of a revoked key' }), code('unauthenticated'))
  await db.updateTable('tokens').set({ revoked_at: null, expires_at: 1 }).where('id', '=', parent.id).execute()
  await assert.rejects(createApiKey(engine, caller, { name: 'of one that has ended' }), code('unauthenticated'))
  await db.deleteFrom('memberships').execute()
  await assert.rejects(createApiKey(engine, self, { name: 'of nobody' }), code('unauthenticated'))
})
