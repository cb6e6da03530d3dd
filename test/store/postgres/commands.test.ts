import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { openDatabase } from '../../../src/db/open.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { claimNode } from '../../../src/engine/nodes/claim-node.ts'
import { connectExisting } from '../../../src/start/connect-existing.ts'
import { findNode } from '../../../src/start/find-node.ts'
import { readNodeFile, writeNodeFile } from '../../../src/start/node-file.ts'
import { runStatements } from '../../support/run-statements.ts'
import { newDatabase, type Scope } from '../../support/test-database.ts'

const commands = {
  'ledger verify': ['ledger/main.ts', 'verify'],
  nodes: ['nodes/main.ts', 'list'],
} as const

/** Runs a command of the operator. */
async function run(command: keyof typeof commands, env: { CARREL_DATA: string; CARREL_DATABASE_URL?: string }) {
  const [file, ...args] = commands[command]
  const path = fileURLToPath(new URL(`../../../src/${file}`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [[status], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
  return { status: status as number, stdout, stderr: stderr.trimEnd() }
}

async function assertRefused(env: Parameters<typeof run>[1], sentence: RegExp): Promise<void> {
  const names = Object.keys(commands) as (keyof typeof commands)[]
  for (const { status, stdout, stderr } of await Promise.all(names.map((name) => run(name, env)))) {
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, sentence)
    assert.equal(stderr.split('\n').length, 1)
  }
}

function newDirectory(scope: Scope): string {
  const path = mkdtempSync(join(tmpdir(), 'carrel-commands-'))
  scope.after(() => rmSync(path, { recursive: true }))
  return path
}

test('the commands of an operator', async (t) => {
  const directory = newDirectory(t)
  const none = newDirectory(t)
  const db = await openDatabase(join(directory, 'carrel.db'))
  const facts = { address: '', cpus: 1, memory_bytes: 1, disk_bytes: 1 }
  await claimNode(db, await findNode(db, directory), facts)
  await createAccount(db, 'owner')
  await db.destroy()

  await t.test('refuse the file that a directory has left, and the database of another directory', async (t) => {
    const own = readNodeFile(directory)!
    writeNodeFile(directory, { ...own, deploymentId: 'moved' })
    t.after(() => writeNodeFile(directory, own))
    const sentence = /^Cannot (?:verify the ledger|list the nodes): the database ".+" does not belong to ".+"; /
    await assertRefused({ CARREL_DATA: directory }, sentence)
    const url = await newDatabase(t)
    const db = await openDatabase(url)
    await createAccount(db, 'owner')
    await db.destroy()
    await assertRefused({ CARREL_DATA: directory, CARREL_DATABASE_URL: url }, sentence)
  })

  await t.test('refuse an empty database, and one of an earlier version', async (t) => {
    const empty = await newDatabase(t, { empty: true })
    const sentence =
      /^Cannot (?:verify the ledger|list the nodes): the database ".+" is empty or of an earlier version; /
    await assertRefused({ CARREL_DATA: none, CARREL_DATABASE_URL: empty }, sentence)
    const earlier = await newDatabase(t)
    await runStatements(earlier, `delete from kysely_migration where name = (select max(name) from kysely_migration)`)
    await assertRefused({ CARREL_DATA: none, CARREL_DATABASE_URL: earlier }, sentence)
  })

  await t.test('say why a database cannot be opened, and never its password', async (t) => {
    await assertRefused(
      { CARREL_DATA: none, CARREL_DATABASE_URL: 'postgres://carrel:pass/word@host/carrel' },
      /^Cannot start: CARREL_DATABASE_URL cannot be used; set it to a URL of PostgreSQL such as /,
    )
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    listener.close()
    await once(listener, 'close')
    await assertRefused(
      { CARREL_DATA: none, CARREL_DATABASE_URL: `postgres://carrel:secret@127.0.0.1:${port}/carrel` },
      /^Cannot open the database "postgres:\/\/carrel@127.+": connect ECONNREFUSED /,
    )
    const missing = new URL(await newDatabase(t))
    missing.pathname += '_missing'
    await assertRefused({ CARREL_DATA: none, CARREL_DATABASE_URL: missing.href }, /_missing" does not exist$/)
  })

  await t.test('work on the database of the directory, and from a machine without one', async (t) => {
    const url = await newDatabase(t)
    for (const env of [{ CARREL_DATA: directory }, { CARREL_DATA: none, CARREL_DATABASE_URL: url }]) {
      const { status, stdout } = await run('ledger verify', env)
      assert.equal(status, 0)
      assert.match(stdout, /^The ledger is correct: /)
      assert.deepEqual([(await run('nodes', env)).status], [0])
    }
  })
})

test('a command that reads takes as long as it needs, and reads whole tables', async (t) => {
  const kept = { ...process.env }
  t.after(() => void (process.env = kept))
  Object.assign(process.env, { CARREL_DATA: newDirectory(t), CARREL_DATABASE_URL: await newDatabase(t) })
  const settings = async (readOnly: boolean) => {
    const db = await connectExisting('read', { readOnly })
    const { rows } = await sql`select current_setting('statement_timeout') as limit,
      current_setting('enable_seqscan') as scans`.execute(db)
    await db.destroy()
    return rows
  }
  assert.deepEqual(await settings(true), [{ limit: '0', scans: 'on' }])
  assert.deepEqual(await settings(false), [{ limit: '1min', scans: 'off' }])
})
