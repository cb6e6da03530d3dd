import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createSigningKey } from '../../src/engine/identity/auth/signing-key.ts'
import { Secrets } from '../../src/engine/secrets/secrets.ts'
import { newSession, serverEnvironment, serverProgram, testDataDirectory, TestServer } from '../support/server.ts'
import { hostTraces } from './host-traces.ts'

const npmStart = fileURLToPath(new URL('../../scripts/start.js', import.meta.url))

describe('a refused start gives its reason in one sentence', { timeout: 300_000 }, () => {
  const taken = createServer()
  before(async () => {
    // The image exists then, so that no start reports that it builds one.
    await (await TestServer.start()).stop()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
  })
  after(() => taken.close())

  async function refusalOf(program: string, env: Record<string, string>) {
    const child = spawn(process.execPath, [program], {
      env: { ...serverEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    return { code: code as number | null, stdout, stderr }
  }

  for (const [env, sentence] of [
    [{ CARREL_PORT: 'abc' }, /^Cannot start: CARREL_PORT is "abc"; set it to a number from 0 to 65535$/],
    [{ CARREL_DATA: '/dev/null' }, /^Cannot start: CARREL_DATA is "\/dev\/null", which is not a folder; set it to /],
    [
      { CARREL_DATA: '/etc/passwd/x' },
      /^Cannot start: CARREL_DATA is "\/etc\/passwd\/x", which is below something that is not a folder; /,
    ],
    [
      { CARREL_DATA: '/proc/x' },
      /^Cannot start: CARREL_DATA is "\/proc\/x", where no folder can be created \(ENOENT\); /,
    ],
    [{ CARREL_DATA: '/sys/x' }, /^Cannot start: CARREL_DATA is "\/sys\/x", which cannot be written; /],
    [
      { CARREL_RUNTIME: 'nonsuch' },
      /^Cannot start: CARREL_RUNTIME is "nonsuch", which is not an installed program; set it to /,
    ],
    [
      { CARREL_IMAGE: 'nonsuch' },
      /^Cannot start: CARREL_IMAGE is "nonsuch", but there is neither a recipe nor an image /,
    ],
    [
      { CARREL_HOST: '192.0.2.1' },
      /^Cannot start: this host has no address 192\.0\.2\.1; set CARREL_HOST to one that it has$/,
    ],
    [{ CARREL_PUBLIC_URL: 'x' }, /^Cannot start: CARREL_PUBLIC_URL is "x"; set it to an origin such as https:/],
  ] as const)
    test(`for ${JSON.stringify(env)}`, async () => {
      const { code, stdout, stderr } = await refusalOf(serverProgram, env)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr.trimEnd(), sentence)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    })

  test('for a database whose key is missing, or another one, before anything is built', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'carrel-key-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const db = await openDatabase(join(directory, 'carrel.db'))
    const secrets = await Secrets.open(db, { secretKeys: [], dataDirectory: directory })
    await secrets.get('signing-key', createSigningKey)
    await db.destroy()
    rmSync(join(directory, 'secret.key'))
    for (const [key, sentence] of [
      [
        '',
        /^Cannot start: the secrets in the database are encrypted, and the key is missing: there is no ".*secret\.key"/,
      ],
      [
        'ab'.repeat(32),
        /^Cannot start: the secret "signing-key" in the database is encrypted with the key [0-9a-f]{16}, /,
      ],
    ] as const) {
      const env = { CARREL_DATA: directory, CARREL_DATABASE_URL: '', CARREL_SECRET_KEY: key }
      const { code, stdout, stderr } = await refusalOf(serverProgram, env)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr.trimEnd(), sentence)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
      assert.ok(!stderr.includes(key.slice(0, 12) || 'undefined'))
      assert.ok(!existsSync(join(directory, 'secret.key')) && !existsSync(join(directory, 'pool')))
    }
  })

  describe('for a database that does not belong to the data directory', () => {
    const database = join(testDataDirectory, 'carrel.db')
    const aside = mkdtempSync(join(tmpdir(), 'carrel-database-'))
    const files = ['carrel.db', 'carrel.db-wal', 'carrel.db-shm']
    const sessionId = newSession()
    let volumes: string[]
    before(async () => {
      const server = await TestServer.start()
      await server.shell('echo kept > /workspace/file', { sessionId })
      await server.stop()
      volumes = hostTraces().volumes
      for (const name of files.filter((each) => existsSync(join(testDataDirectory, each))))
        renameSync(join(testDataDirectory, name), join(aside, name))
    })
    afterEach(() => {
      for (const name of files) rmSync(join(testDataDirectory, name), { force: true })
    })
    after(async () => {
      for (const name of readdirSync(aside)) copyFileSync(join(aside, name), join(testDataDirectory, name))
      rmSync(aside, { recursive: true })
      const server = await TestServer.start()
      try {
        assert.equal((await server.shell('cat /workspace/file', { sessionId })).stdout, 'kept\n')
      } finally {
        await server.stop()
      }
    })

    async function assertRefused(sentence: RegExp): Promise<void> {
      const { code, stdout, stderr } = await refusalOf(serverProgram, {})
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr.trimEnd(), sentence)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
      assert.deepEqual(hostTraces().volumes, volumes)
    }

    for (const isKnown of [true, false]) {
      const known = isKnown ? 'where the directory knows its database' : 'where the directory is of an older server'
      test(`that is missing or empty, ${known}`, async (t) => {
        const file = join(testDataDirectory, 'node.json')
        if (!isKnown) {
          renameSync(file, join(aside, 'node'))
          t.after(() => renameSync(join(aside, 'node'), file))
        }
        await assertRefused(
          /^Cannot start: the database ".*carrel\.db" is missing, but .*; restore it from a backup, or /,
        )
        assert.equal(existsSync(database), false)
        writeFileSync(database, '')
        await assertRefused(
          /^Cannot start: the database ".*carrel\.db" is empty, but .*; restore it from a backup, or /,
        )
        await (await openDatabase(database)).destroy()
        await assertRefused(/^Cannot start: the database ".*carrel\.db" is empty, but /)
      })
    }

    test('that belongs to another server', async () => {
      const other = await openDatabase(database)
      await createAccount(other, 'owner')
      await other.destroy()
      await assertRefused(/^Cannot start: the database ".*carrel\.db" does not belong to ".*"; put the right one back/)
    })

    test('that belongs to another server, where the directory is of an older server', async (t) => {
      const other = await openDatabase(database)
      await createAccount(other, 'owner')
      await other.destroy()
      const file = join(testDataDirectory, 'node.json')
      renameSync(file, join(aside, 'node'))
      t.after(() => renameSync(join(aside, 'node'), file))
      await assertRefused(/^Cannot start: ".*" holds computers, but the database knows nothing of its node \(\w+\): /)
      assert.equal(existsSync(file), false)
    })

    test('a server whose database knows none of the computers removes none', async () => {
      copyFileSync(join(aside, 'carrel.db'), database)
      const own = await openDatabase(database)
      await own.deleteFrom('computers').execute()
      await own.destroy()
      const server = await TestServer.start()
      await server.stop()
      assert.match(server.log(), /knows none of the computers/)
      const now = new Set(hostTraces().volumes)
      assert.deepEqual(
        volumes.filter((id) => !now.has(id)),
        [],
      )
    })
  })

  test('for a port that is in use, also with npm start', async () => {
    const port = String((taken.address() as AddressInfo).port)
    const server = await refusalOf(serverProgram, { CARREL_PORT: port })
    assert.deepEqual([server.code, server.stdout], [1, ''])
    assert.equal(server.stderr, `Cannot start: port ${port} on 127.0.0.1 is taken; set CARREL_PORT to a free one\n`)
    const start = await refusalOf(npmStart, { CARREL_PORT: port })
    assert.deepEqual([start.code, start.stdout], [1, ''])
    assert.match(
      start.stderr,
      new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: a program already listens there; .*\\n$`),
    )
  })
})
