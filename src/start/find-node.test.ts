import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { SettingError } from '../config/settings.ts'
import { copyFromSqlite } from '../db/copy-from-sqlite.ts'
import { connectDatabase, openDatabase } from '../db/open.ts'
import { createAccount } from '../engine/identity/accounts/owner.ts'
import { claimNode } from '../engine/nodes/claim-node.ts'
import { assertOwnDatabase } from './assert-own-database.ts'
import { findNode } from './find-node.ts'
import { writeNodeFile } from './node-file.ts'

const facts = { address: 'http://127.0.0.1:1', cpus: 1, memory_bytes: 1, disk_bytes: 1 }

/** A data directory and the ways in which servers use it. */
function directory(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'carrel-start-'))
  t.after(() => rmSync(path, { recursive: true }))
  const file = join(path, 'carrel.db')
  const check = () => assertOwnDatabase({ dataDirectory: path, databaseUrl: undefined })
  /** Starts a server as far as its node and its account. */
  const start = async () => {
    await check()
    const db = await openDatabase(file)
    try {
      const node = await claimNode(db, await findNode(db, path), facts)
      const account = await db.selectFrom('accounts').select('id').executeTakeFirst()
      if (!account) await createAccount(db, 'owner')
      return node
    } finally {
      await db.destroy()
    }
  }
  const addComputer = () => mkdirSync(join(path, 'pool/computers/one'), { recursive: true })
  return { path, file, check, start, addComputer }
}

/** Makes the file that a server of before nodes left, with its number in the header and in a file beside it. */
async function earlierVersion({ path, file }: { path: string; file: string }, mark: number): Promise<void> {
  const db = connectDatabase(file, { readOnly: false })
  const folder = new URL('../db/migrations/', import.meta.url)
  const names = readdirSync(folder)
    .filter((name) => name < '0020')
    .toSorted()
  await sql`create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(db)
  for (const name of names) {
    await ((await import(new URL(name, folder).href)) as { up: (db: unknown) => Promise<void> }).up(db)
    await sql`insert into kysely_migration values (${name.replace('.ts', '')}, '2026-01-01')`.execute(db)
  }
  await sql`insert into accounts (id, name, created_at) values ('a', 'owner', 1)`.execute(db)
  await sql`insert into computers (id, image, state, cpus, memory_bytes, disk_bytes, pids, lifecycle, created_at, updated_at, last_active_at)
    values ('one', 'i', 'running', 1, 1, 1, 1, 'sandbox', 1, 1, 1)`.execute(db)
  await sql`pragma user_version = ${sql.lit(mark)}`.execute(db)
  await db.destroy()
  writeFileSync(join(path, 'database.mark'), `${mark}\n`)
}

const refused = (sentence: RegExp) => (error: Error) => {
  assert.ok(error instanceof SettingError, String(error))
  assert.match(error.message, sentence)
  return true
}

test('a data directory stays one node, whose epoch grows with each start', async (t) => {
  const own = directory(t)
  const first = await own.start()
  assert.deepEqual(first.epoch, 1)
  assert.deepEqual(await own.start(), { id: first.id, epoch: 2 })
})

test('another data directory joins the database as a node of its own', async (t) => {
  const [one, other] = [directory(t), directory(t)]
  const first = await one.start()
  const db = await openDatabase(one.file)
  t.after(() => db.destroy())
  const second = await claimNode(db, await findNode(db, other.path), facts)
  assert.notEqual(second.id, first.id)
  assert.equal(await findNode(db, other.path), second.id)
})

test('a start that was cut off before its database had an account goes on', async (t) => {
  const own = directory(t)
  const db = await openDatabase(own.file)
  const nodeId = await findNode(db, own.path)
  await db.destroy()
  assert.deepEqual(await own.start(), { id: nodeId, epoch: 1 })
})

test('a directory of an earlier version becomes the node that has its rows, also when its database is restored', async (t) => {
  const own = directory(t)
  own.addComputer()
  await earlierVersion(own, 7)
  cpSync(own.file, join(own.path, 'backup'))
  for (let restored = 0; restored < 2; restored++) {
    const { id, epoch } = await own.start()
    const db = await openDatabase(own.file)
    const rows = await db.selectFrom('computers').select(['id', 'node_id', 'fence']).execute()
    await db.destroy()
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ id: 'one', node_id: id, fence: 0 }],
    )
    assert.deepEqual([epoch, await own.start()], [1, { id, epoch: 2 }])
    cpSync(join(own.path, 'backup'), own.file)
  }
})

test('a database of an earlier version that belongs to another directory is refused', async (t) => {
  const own = directory(t)
  await earlierVersion(own, 7)
  writeFileSync(join(own.path, 'database.mark'), '8\n')
  await assert.rejects(own.check(), refused(/does not belong to/))
})

test('a missing, an empty and a foreign database are refused and not changed', async (t) => {
  const [own, other] = [directory(t), directory(t)]
  await own.start()
  await other.start()
  rmSync(own.file)
  await assert.rejects(own.check(), refused(/carrel\.db" is missing/))
  assert.equal(existsSync(own.file), false)
  await (await openDatabase(own.file)).destroy()
  await assert.rejects(own.check(), refused(/carrel\.db" is empty/))
  cpSync(other.file, own.file)
  await assert.rejects(own.check(), refused(/does not belong to/))
})

test('a directory with computers is refused where the database does not have its node, and where it has none', async (t) => {
  const own = directory(t)
  const { id } = await own.start()
  const db = await openDatabase(own.file)
  t.after(() => db.destroy())
  await db.deleteFrom('nodes').execute()
  assert.equal(await findNode(db, own.path), id, 'without computers nothing is lost')
  own.addComputer()
  await assert.rejects(findNode(db, own.path), refused(new RegExp(`knows nothing of its node \\(${id}\\)`)))
  rmSync(join(own.path, 'node.json'))
  await assert.rejects(findNode(db, own.path), refused(/knows nothing of its node/))
  assert.equal(existsSync(join(own.path, 'node.json')), false)
})

test('a file that was copied into another database no longer belongs to its directory, and the copy does', async (t) => {
  const own = directory(t)
  const { id } = await own.start()
  const [from, to] = [await openDatabase(own.file), await openDatabase(':memory:')]
  t.after(() => Promise.all([from.destroy(), to.destroy()]))
  await copyFromSqlite(from, to, 'copied')
  writeNodeFile(own.path, { nodeId: id, deploymentId: 'copied' })
  await assert.rejects(own.check(), refused(/does not belong to/))
  assert.deepEqual([await findNode(to, own.path), await claimNode(to, id, facts)], [id, { id, epoch: 2 }])
})
