import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import { openDatabase } from '../../../db/open.ts'
import type { Database } from '../../../db/schema.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import { AuthCache } from './auth-cache.ts'

describe('AuthCache', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callers-'))
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
  async function known(expiresAtMs?: number) {
    const callers = new AuthCache(db)
    await callers.learn('one', async () => caller(expiresAtMs))
    return callers
  }

  test('knows who was asked of before, and nobody else', async () => {
    const callers = await known()
    assert.equal(callers.get('one')?.accountId, 'account')
    assert.equal(callers.get('another'), undefined)
  })

  test('forgets all with a commit', async () => {
    const callers = await known()
    await write()
    assert.equal(callers.get('one'), undefined)
  })

  test('forgets all with a commit of a transaction', async () => {
    const callers = await known()
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('accounts').set({ name: 'another name' }).execute()
      await callers.learn('within', async () => caller())
    })
    assert.deepEqual([callers.get('one'), callers.get('within')], [undefined, undefined])
  })

  test('forgets all soon after a commit of another program', async () => {
    const callers = await known()
    const other = new DatabaseSync(path)
    other.exec("UPDATE accounts SET name = 'by another'")
    other.close()
    const beganMs = performance.now()
    while (callers.get('one')) assert.ok(performance.now() - beganMs < 1000, 'still known after a second')
  })

  test('does not remember what was read before a commit', async () => {
    const callers = new AuthCache(db)
    await callers.learn('one', async () => {
      await write()
      return caller()
    })
    assert.equal(callers.get('one'), undefined)
  })

  test('knows nobody beyond their end', async () => {
    assert.equal((await known(Date.now() - 1)).get('one'), undefined)
    assert.ok((await known(Date.now() + 60_000)).get('one'))
  })

  test('remembers no refusal', async () => {
    const callers = new AuthCache(db)
    const refuse = () => Promise.reject(new Error('refused'))
    await assert.rejects(callers.learn('one', refuse), /refused/)
    assert.equal(callers.get('one'), undefined)
  })

  test('remembers nobody where commits are not seen', async () => {
    const inMemory = await openDatabase(':memory:')
    const callers = new AuthCache(inMemory)
    await callers.learn('one', async () => caller())
    assert.equal(callers.get('one'), undefined)
    await inMemory.destroy()
  })
})
