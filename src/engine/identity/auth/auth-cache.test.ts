import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import { AuthCache } from './auth-cache.ts'

test('caches nobody where commits are not visible: in memory, and where other servers commit', async (t) => {
  const db = await openTestDatabase(t)
  const cache = new AuthCache(db)
  const caller = { accountId: 'a', tokenId: 't', userId: null, kind: 'session', role: 'owner' } as const
  await cache.load('one', async () => ({ ...caller, scopes: null, expiresAtMs: null }))
  assert.equal(cache.get('one'), undefined)
})
