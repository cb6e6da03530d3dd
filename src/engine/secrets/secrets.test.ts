import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import { SettingError } from '../../config/settings.ts'
import type { Database } from '../../db/schema.ts'
import { Cleanup } from '../../../test/support/cleanup.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { openSecrets } from './open-secrets.ts'

const [oldKey, newKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const secret = () => Promise.resolve('the secret')

describe('the secrets of a database', () => {
  let directory: string
  let logged: string
  let db: Kysely<Database>
  let cleanup: Cleanup
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'carrel-secrets-'))
    cleanup = new Cleanup()
    db = await openTestDatabase(cleanup)
    logged = ''
  })
  afterEach(async () => {
    await cleanup.run()
    rmSync(directory, { recursive: true })
  })

  const log = pino({ level: 'warn' }, { write: (line: string) => void (logged += line) })
  const dataDirectory = (node: string) => {
    mkdirSync(join(directory, node), { recursive: true })
    return join(directory, node)
  }
  /** Opens the secrets as a server with a data directory of its own does. */
  const open = (node: string, ...secretKeys: Buffer[]) =>
    openSecrets({ db, log, settings: { secretKeys, dataDirectory: dataDirectory(node) } })
  const refused = (expected: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SettingError, String(error))
    assert.match(error.message, expected)
    return true
  }
  const rows = () => db.selectFrom('secrets').selectAll().orderBy('name').execute()

  test('are created once, and read by the next server with the key of the file', async () => {
    assert.equal(await (await open('a')).get('signing-key', secret), 'the secret')
    const file = join(directory, 'a', 'secret.key')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const again = await open('a')
    assert.equal(await again.get('signing-key', () => assert.fail('it exists')), 'the secret')
    assert.equal(await again.find('challenge-secret'), undefined)
    // The content of the file is what the setting takes.
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
    assert.equal(await (await open('b', key)).find('signing-key'), 'the secret')
  })

  test('are the same for servers that start at the same time', async () => {
    const servers = await Promise.all(['a', 'b', 'c', 'd'].map((node) => open(node, oldKey)))
    const got = await Promise.all(servers.map((each, index) => each.get('signing-key', async () => `of ${index}`)))
    assert.equal(new Set(got).size, 1)
    assert.equal(await (await open('e', oldKey)).find('signing-key'), got[0])
  })

  test('refuse a start without the key, and create no other key', async () => {
    await (await open('a')).get('signing-key', secret)
    await assert.rejects(open('b'), refused(/key is missing: there is no ".*\/b\/secret\.key", and CARREL_SECRET_KEY/))
    assert.ok(!existsSync(join(directory, 'b', 'secret.key')))
  })

  test('refuse a start with another key, which is not the same as a damaged row', async () => {
    await (await open('a', oldKey)).get('signing-key', secret)
    await assert.rejects(open('b', newKey), refused(/encrypted with the key [0-9a-f]{16}, and this server has/))
    await db.updateTable('secrets').set({ nonce: 'AAAAAAAAAAAAAAAA' }).execute()
    await assert.rejects(open('a', oldKey), refused(/"signing-key" in the database is damaged/))
  })

  test('refuse rows that were exchanged', async () => {
    const secrets = await open('a', oldKey)
    await secrets.get('signing-key', secret)
    await secrets.get('challenge-secret', async () => 'another')
    const other = (await rows()).find(({ name }) => name === 'challenge-secret')!
    await db
      .updateTable('secrets')
      .set({ ...other, name: 'signing-key' })
      .where('name', '=', 'signing-key')
      .execute()
    await assert.rejects(open('a', oldKey), refused(/"signing-key" in the database is damaged/))
  })

  test('refuse a start with a key file that holds no key', async () => {
    writeFileSync(join(dataDirectory('a'), 'secret.key'), 'short')
    await assert.rejects(open('a'), refused(/does not hold a key of 32 bytes/))
  })

  test('are encrypted with a new key at the start, after which the old one is not needed', async () => {
    await (await open('a', oldKey)).get('signing-key', secret)
    const before = await rows()
    assert.equal(await (await open('a', newKey, oldKey)).find('signing-key'), 'the secret')
    assert.notEqual((await rows())[0]!.key_id, before[0]!.key_id)
    assert.equal((await rows())[0]!.created_at, before[0]!.created_at)
    assert.equal(await (await open('a', newKey)).find('signing-key'), 'the secret')
    await assert.rejects(open('a', oldKey), refused(/is encrypted with the key/))
  })

  test('are encrypted with a new key once, by whichever of several servers is first', async () => {
    await (await open('a', oldKey)).get('signing-key', secret)
    const servers = await Promise.all(['a', 'b', 'c'].map((node) => open(node, newKey, oldKey)))
    for (const each of servers) assert.equal(await each.find('signing-key'), 'the secret')
    assert.equal(await (await open('a', newKey)).find('signing-key'), 'the secret')
  })

  test('move from the key of the file to that of the setting', async () => {
    await (await open('a')).get('signing-key', secret)
    assert.equal(await (await open('a', newKey)).find('signing-key'), 'the secret')
    assert.equal(await (await open('b', newKey)).find('signing-key'), 'the secret')
  })

  describe('that an earlier version kept in files', () => {
    const put = (name: string, text: string) => writeFileSync(join(dataDirectory('a'), name), text)
    const isThere = (name: string) => existsSync(join(directory, 'a', name))

    test('become rows, and the files are removed', async () => {
      put('signing-key.json', '{"kty":"EC"}\n')
      put('mpp-secret', 'secret\n')
      const secrets = await open('a')
      assert.deepEqual(
        [await secrets.find('signing-key'), await secrets.find('challenge-secret')],
        ['{"kty":"EC"}', 'secret'],
      )
      assert.deepEqual([isThere('signing-key.json'), isThere('mpp-secret')], [false, false])
    })

    test('are not lost by a server that dies between the steps', async () => {
      // It died after the key's file was written.
      await open('a')
      put('mpp-secret', 'secret\n')
      await db.schema.alterTable('secrets').renameTo('elsewhere').execute()
      await assert.rejects(open('a'), /no such table|"secrets" does not exist/)
      assert.ok(isThere('mpp-secret'))
      await db.schema.alterTable('elsewhere').renameTo('secrets').execute()
      assert.equal(await (await open('a')).find('challenge-secret'), 'secret')
      // It died before the file was removed.
      put('mpp-secret', 'secret\n')
      assert.equal(await (await open('a')).find('challenge-secret'), 'secret')
      assert.ok(!isThere('mpp-secret'))
    })

    test('stay where the database has others', async () => {
      await (await open('b', oldKey)).get('challenge-secret', secret)
      put('mpp-secret', 'of another database\n')
      assert.equal(await (await open('a', oldKey)).find('challenge-secret'), 'the secret')
      assert.ok(isThere('mpp-secret'))
      assert.match(logged, /mpp-secret.*is not that of the database/)
    })
  })
})
