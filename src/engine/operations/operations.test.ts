import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { limits } from '../../config/limits.ts'
import { transaction } from '../../db/transaction.ts'
import { CarrelError } from '../../errors.ts'
import type { ServerState } from '../context.ts'
import { createAccount } from '../identity/accounts/owner.ts'
import { claimNode } from '../nodes/claim-node.ts'
import {
  getOperation,
  operationOfRequest,
  Operations,
  pruneOperations,
  runningOn,
  type OperationWork,
} from './operations.ts'

async function operationsOf(t: TestContext, works: Record<string, OperationWork>) {
  const db = await openTestDatabase(t)
  const accountId = await createAccount(db, 'a')
  const node = await claimNode(db, 'node', { address: '', cpus: 1, memory_bytes: 1, disk_bytes: 1 })
  const server = { closing: new AbortController().signal } as ServerState
  const engine = { db, node, log: pino({ level: 'silent' }), server }
  const operations = new Operations(engine, works)
  const insert = (kind: string, requestKey?: string) =>
    transaction(db, 'operational', (trx) =>
      operations.insert(trx, { accountId, actor: 't', kind, resource: { type: 'computer', id: 'c' }, requestKey }),
    )
  const ended = async (kind: string) => {
    const row = await insert(kind)
    operations.begin(row)
    await operations.settled(row.id)
    return getOperation({ db }, accountId, row.id)
  }
  return { db, engine, accountId, operations, insert, ended }
}

test('an operation reports its progress, its result and its failure', async (t) => {
  const { ended } = await operationsOf(t, {
    good: async (operation, report) => {
      report(0.5)
      return { of: operation.resource_id }
    },
    bad: () => Promise.reject(new CarrelError('no_capacity', 'Cannot build: no room')),
  })
  const { state, progress, result, ended_at } = await ended('good')
  assert.deepEqual([state, progress, result], ['succeeded', 1, '{"of":"c"}'])
  assert.ok(ended_at !== null)
  const failed = await ended('bad')
  assert.equal(failed.state, 'failed')
  assert.deepEqual(JSON.parse(failed.error!), { code: 'no_capacity', message: 'Cannot build: no room' })
})

test('progress that is reported after the end changes nothing', async (t) => {
  let report: (progress: number) => void = () => {}
  const { ended, engine, accountId } = await operationsOf(t, { late: async (_, given) => void (report = given) })
  const row = await ended('late')
  report(0.5)
  assert.deepEqual(await getOperation(engine, accountId, row.id), row)
})

test("getOperation() does not find another account's operation", async (t) => {
  const { ended, engine } = await operationsOf(t, { none: async () => {} })
  const { id } = await ended('none')
  await assert.rejects(getOperation(engine, 'other', id), { code: 'not_found' })
})

test('the next server goes on with an operation, and does it once however often it is asked to', async (t) => {
  const { engine, accountId, insert } = await operationsOf(t, { build: () => new Promise(() => {}) })
  const { id } = await insert('build')
  let calls = 0
  const next = new Operations(engine, { build: async () => ++calls })
  await Promise.all([next.resume(), next.resume()])
  await next.settled(id)
  await next.resume()
  assert.deepEqual([calls, (await getOperation(engine, accountId, id)).state], [1, 'succeeded'])
})

test('an operation of a kind that the server does not know fails, with the reason', async (t) => {
  const { ended } = await operationsOf(t, {})
  const { state, error } = await ended('unheard-of')
  assert.equal(state, 'failed')
  assert.match(error!, /unheard-of.*: this version of the server does not know it/)
})

test('an operation is found by what it works on while it runs, and by its request for good', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { db, accountId, operations, insert } = await operationsOf(t, { wait: () => gate.promise })
  const row = await insert('wait', 'key')
  operations.begin(row)
  assert.equal((await runningOn({ db }, ['c'])).get('c')?.id, row.id)
  gate.resolve()
  await operations.settled(row.id)
  assert.equal((await runningOn({ db }, ['c'])).size, 0)
  assert.equal((await operationOfRequest(db, accountId, 'key'))?.id, row.id)
  assert.equal(await operationOfRequest(db, 'other', 'key'), undefined)
  await assert.rejects(insert('wait', 'key'))
})

test('an operation that ended long ago is forgotten; a younger one and a running one are not', async (t) => {
  const { ended, insert, db } = await operationsOf(t, { none: async () => {} })
  const [old, young, running] = [await ended('none'), await ended('none'), await insert('none')]
  const longAgo = Date.now() - limits.endedOperationMs - 1
  await db.updateTable('operations').set({ created_at: longAgo }).execute()
  await db.updateTable('operations').set({ ended_at: longAgo }).where('id', '=', old.id).execute()
  await pruneOperations({ db })
  const left = await db.selectFrom('operations').select('id').execute()
  assert.deepEqual(new Set(left.map(({ id }) => id)), new Set([young.id, running.id]))
})
