import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../../src/db/open.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { claimNode } from '../../../src/engine/nodes/claim-node.ts'
import { assertOwnDatabase } from '../../../src/start/assert-own-database.ts'
import { findNode } from '../../../src/start/find-node.ts'
import { readNodeFile, writeNodeFile } from '../../../src/start/node-file.ts'
import { runStatements } from '../../support/run-statements.ts'
import { newDatabase } from '../../support/test-database.ts'

const program = fileURLToPath(new URL('../../../src/database/main.ts', import.meta.url))
const facts = { address: '', cpus: 1, memory_bytes: 1, disk_bytes: 1 }

/** A data directory with a file, a computer and a node, and an empty target. */
async function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-copy-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const target = await newDatabase(t)
  /** Starts a server as far as its node. */
  const start = async (databaseUrl?: string) => {
    await assertOwnDatabase({ dataDirectory: directory, databaseUrl })
    const db = await openDatabase(databaseUrl ?? join(directory, 'carrel.db'))
    const { id } = await claimNode(db, await findNode(db, directory), facts)
    await db.destroy()
    return id
  }
  const nodeId = await start()
  const db = await openDatabase(join(directory, 'carrel.db'))
  await createAccount(db, 'owner')
  await db.destroy()
  mkdirSync(join(directory, 'pool/computers/one'), { recursive: true })
  const copy = (databaseUrl = target) => {
    const env = { ...process.env, CARREL_DATA: directory, CARREL_DATABASE_URL: databaseUrl }
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--json', 'copy'], {
      env,
      encoding: 'utf8',
    })
    return { status, stderr, ...(stdout ? (JSON.parse(stdout) as { isNew: boolean }) : {}) }
  }
  return { directory, target, start, copy, nodeId, file: () => readFileSync(join(directory, 'node.json'), 'utf8') }
}

const hasOtherData = /^Cannot copy the database: the target has data of its own; set CARREL_DATABASE_URL to an empty/

test('a second copy changes nothing, and says that there is one', async (t) => {
  const { target, start, copy, nodeId, file } = await setUp(t)
  const first = copy()
  assert.deepEqual([first.status, first.isNew, first.stderr], [0, true, ''])
  const written = file()
  const second = copy()
  assert.deepEqual([second.status, second.isNew, second.stderr, file()], [0, false, '', written])
  await assert.rejects(start(), /does not belong to/)
  assert.equal(await start(target), nodeId)
})

test('a copy that was cut off after its commit is finished by a start with it, or by a second copy', async (t) => {
  for (const finish of ['start', 'copy'] as const) {
    const { directory, target, start, copy, nodeId } = await setUp(t)
    const { deploymentId } = readNodeFile(directory)!
    copy()
    const { deploymentId: copyId } = readNodeFile(directory)!
    writeNodeFile(directory, { nodeId, deploymentId, copyId })
    if (finish === 'start') assert.equal(await start(target), nodeId)
    else assert.deepEqual([copy().status, copy().isNew], [0, false])
    assert.deepEqual(readNodeFile(directory), { nodeId, deploymentId: copyId })
    await assert.rejects(start(), /does not belong to/)
  }
})

test('after a copy that was cut off, a start with the file makes the copy an old one', async (t) => {
  const { directory, target, start, copy, nodeId, file } = await setUp(t)
  const { deploymentId } = readNodeFile(directory)!
  copy()
  const { deploymentId: copyId } = readNodeFile(directory)!
  writeNodeFile(directory, { nodeId, deploymentId, copyId })
  assert.equal(await start(), nodeId)
  const written = file()
  await assert.rejects(start(target), /does not belong to/)
  const { status, stderr } = copy()
  assert.equal(status, 2)
  assert.match(stderr, hasOtherData)
  assert.equal(file(), written)
})

test('a copy that failed leaves a directory that starts with the file, and can be repeated', async (t) => {
  const { directory, target, start, copy, nodeId } = await setUp(t)
  const { deploymentId } = readNodeFile(directory)!
  await runStatements(
    target,
    `create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
    create trigger refuse before update on deployment execute function refuse()`,
  )
  assert.match(copy().stderr, /refused/)
  const left = readNodeFile(directory)!
  assert.deepEqual([left.nodeId, left.deploymentId, typeof left.copyId], [nodeId, deploymentId, 'string'])
  assert.equal(await start(), nodeId)
  assert.deepEqual(readNodeFile(directory), { nodeId, deploymentId })
  await runStatements(target, 'drop trigger refuse on deployment')
  assert.deepEqual([copy().status, await start(target)], [0, nodeId])
})

test('a target with other data, and a file of another directory, are refused with nothing changed', async (t) => {
  const [one, other] = [await setUp(t), await setUp(t)]
  one.copy()
  const written = other.file()
  assert.match(other.copy(one.target).stderr, hasOtherData)
  assert.equal(other.file(), written)
  writeNodeFile(other.directory, { nodeId: other.nodeId, deploymentId: 'another' })
  assert.match(other.copy().stderr, /^Cannot copy the database: the database ".*carrel\.db" does not belong to /)
  assert.deepEqual(readNodeFile(other.directory), { nodeId: other.nodeId, deploymentId: 'another' })
})
