import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import { openDatabase } from '../../../../db/open.ts'
import { transaction } from '../../../../db/transaction.ts'
import type { Database } from '../../../../db/schema.ts'
import type { Authenticated } from '../../accounts/tokens.ts'
import { AuthCache } from '../auth-cache.ts'

describe('AuthCache', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-cache-'))
  const path = join(folder, 'carrel.db')
  let db: Kysely<Database>
  let accounts = 0

  before(async () => {
    db = await openDatabase(path)
  })
  after(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true })
  })

  const caller = (expiresAtMs: number | null = null): Authenticated => ({
    accountId: 'account',
    tokenId: 'token',
    userId: null,
    kind: 'session',
    role: 'owner',
    scopes: null,
    expiresAtMs,
  })
  const write = () =>
    db
      .insertInto('accounts')
      .values({ id: `account-${++accounts}`, name: 'an account', created_at: 0, shared: 0 })
      .execute()
  async function cacheOf(expiresAtMs?: number) {
    const cache = new AuthCache(db)
    await cache.load('one', async () => caller(expiresAtMs))
    return cache
  }

  test('returns the caller of a cached credential, and of no other', async () => {
    const cache = await cacheOf()
    assert.equal(cache.get('one')?.accountId, 'account')
    assert.equal(cache.get('another'), undefined)
  })

  test('a commit empties the cache', async () => {
    const cache = await cacheOf()
    await write()
    assert.equal(cache.get('one'), undefined)
  })

  test('a commit of a transaction empties the cache', async () => {
    const cache = await cacheOf()
    await transaction(db, 'operational', async (trx) => {
      await trx.updateTable('accounts').set({ name: 'another name' }).execute()
      await cache.load('within', async () => caller())
    })
    assert.deepEqual([cache.get('one'), cache.get('within')], [undefined, undefined])
  })

  test('a commit of another program empties the cache soon', { timeout: 30_000 }, async () => {
    const cache = await cacheOf()
    const other = new DatabaseSync(path)
    other.exec("UPDATE accounts SET name = 'by another'")
    other.close()
    while (cache.get('one')) await delay(1)
  })

  test('does not cache a caller that was read before a commit', async () => {
    const cache = new AuthCache(db)
    await cache.load('one', async () => {
      await write()
      return caller()
    })
    assert.equal(cache.get('one'), undefined)
  })

  test('does not return a caller whose token has expired', async () => {
    assert.equal((await cacheOf(Date.now() - 1)).get('one'), undefined)
    assert.ok((await cacheOf(Date.now() + 60_000)).get('one'))
  })

  test('does not cache a refusal', async () => {
    const cache = new AuthCache(db)
    const refuse = () => Promise.reject(new Error('refused'))
    await assert.rejects(cache.load('one', refuse), /refused/)
    assert.equal(cache.get('one'), undefined)
  })
})
