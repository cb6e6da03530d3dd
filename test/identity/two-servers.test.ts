import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { createAccount, ownerAccount, ownerToken } from '../../src/engine/identity/accounts/owner.ts'
import { authenticateToken } from '../../src/engine/identity/accounts/tokens.ts'
import { selfTest } from '../../src/start/self-test.ts'
import { TestApp } from '../support/test-app.ts'
import { testEngine } from '../support/test-engine.ts'

describe('servers with data directories of their own on one database', () => {
  const onOneDatabase = async (work: (db: Kysely<Database>) => Promise<void>) => {
    const db = await openDatabase(':memory:')
    try {
      await work(db)
    } finally {
      await db.destroy()
    }
  }
  const directoryOf = (t: { after: (work: () => void) => void }) => {
    const directory = mkdtempSync(join(tmpdir(), 'carrel-owner-'))
    t.after(() => rmSync(directory, { recursive: true }))
    return directory
  }

  test('accept the access and refresh tokens and the challenges of each other', (t) =>
    onOneDatabase(async (db) => {
      const [one, other] = await Promise.all([testEngine({ db }), testEngine({ db })])
      t.after(() => Promise.all([one.driver.close(), other.driver.close()]))
      const { familyId } = await other.accessTokens.verify(await one.accessTokens.issue('user', 'family'))
      assert.equal(familyId, 'family')
      const refresh = await other.accessTokens.issueRefresh('user', 'family', {
        id: 'r',
        endsAtMs: Date.now() + 60_000,
      })
      assert.equal((await one.accessTokens.verifyRefresh(refresh)).id, 'r')
      assert.deepEqual(one.accessTokens.publicKeys, other.accessTokens.publicKeys)
      assert.equal(one.machinePayments.secret, other.machinePayments.secret)
    }))

  test('have one owner, whichever of them is first', () =>
    onOneDatabase(async (db) => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => ownerAccount(db)))
      assert.equal(new Set(ids).size, 1)
      const rows = await db.selectFrom('accounts').select('id').execute()
      assert.deepEqual(
        rows.map(({ id }) => id),
        ids.slice(0, 1),
      )
    }))

  test('keep their owner when the clock of one goes wrong', () =>
    onOneDatabase(async (db) => {
      const owner = await ownerAccount(db)
      const later = await createAccount(db, 'somebody')
      await db.updateTable('accounts').set({ created_at: 0 }).where('id', '=', later).execute()
      assert.equal(await ownerAccount(db), owner)
    }))

  test('have a token of the owner each, and end none of another', (t) =>
    onOneDatabase(async (db) => {
      const [first, second] = [directoryOf(t), directoryOf(t)]
      const tokens = [await ownerToken(db, first, 'one'), await ownerToken(db, second, 'two')]
      assert.notEqual(tokens[0], tokens[1])
      assert.deepEqual([await ownerToken(db, first, 'one'), await ownerToken(db, second, 'two')], tokens)
      for (const token of tokens) assert.equal((await authenticateToken(db, token)).accountId, await ownerAccount(db))
      for (const directory of [first, second])
        assert.equal(statSync(join(directory, 'owner.token')).mode & 0o777, 0o600)
    }))

  test('replace a token file only if the database does not know the token', async (t) => {
    const directory = directoryOf(t)
    const file = join(directory, 'owner.token')
    writeFileSync(file, 'pp_sess_of-another-database\n')
    const db = await openDatabase(':memory:')
    const token = await ownerToken(db, directory, 'one')
    assert.equal(readFileSync(file, 'utf8'), `${token}\n`)
    await db.schema.alterTable('tokens').renameTo('elsewhere').execute()
    await assert.rejects(ownerToken(db, directory, 'one'), /no such table/)
    assert.equal(readFileSync(file, 'utf8'), `${token}\n`)
    await db.destroy()
  })

  test('name their tokens after their nodes, also one of an earlier version, and end those whose file is removed', (t) =>
    onOneDatabase(async (db) => {
      const directory = directoryOf(t)
      const names = async () =>
        (await db.selectFrom('tokens').select('name').where('revoked_at', 'is', null).orderBy('name').execute()).map(
          ({ name }) => name,
        )
      const other = await ownerToken(db, directoryOf(t), 'two')
      const token = await ownerToken(db, directory, 'one')
      await db.updateTable('tokens').set({ name: 'owner' }).where('name', '=', 'owner one').execute()
      assert.equal(await ownerToken(db, directory, 'one'), token)
      assert.deepEqual(await names(), ['owner one', 'owner two'])
      rmSync(join(directory, 'owner.token'))
      assert.notEqual(await ownerToken(db, directory, 'one'), token)
      assert.deepEqual(await names(), ['owner one', 'owner two'])
      await assert.rejects(authenticateToken(db, token), { code: 'unauthenticated' })
      await authenticateToken(db, other)
    }))

  test('pass their self-test without a token', async () => {
    const app = await TestApp.start()
    try {
      const events = async () => (await app.db.selectFrom('events').select('actor').execute()).map(({ actor }) => actor)
      assert.deepEqual(await events(), [])
      await selfTest(app.engine)
      assert.deepEqual(new Set(await events()), new Set(['server']))
    } finally {
      await app.stop()
    }
  })
})
