import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Kysely } from 'kysely'
import type { Database, ProcessRow } from '../../../db/schema.ts'
import { claimNode } from '../../nodes/claim-node.ts'
import { unpaidProcesses, unpaidProcessorTime } from './unpaid-work.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const begun = Date.now() - 3_600_000

/** Creates a sandbox `c` of one account, with `chargedMs` charged within the first minute. */
async function sandbox(t: TestContext, chargedMs: number): Promise<Kysely<Database>> {
  const db = await openTestDatabase(t)
  await db
    .insertInto('accounts')
    .values({ id: 'a', name: 'a', created_at: 0, created_by: null, shared: 0, delete_at: null })
    .execute()
  await claimNode(db, 'node', { address: '', cpus: 1, memory_bytes: 1, disk_bytes: 1 })
  await db
    .insertInto('computers')
    .values({
      id: 'c',
      account_id: 'a',
      name: '',
      node_id: 'node',
      fence: 0,
      image: 'i',
      state: 'running',
      state_reason: null,
      cpus: 2,
      memory_bytes: 1,
      disk_bytes: 1,
      pids: 1,
      lifecycle: 'sandbox',
      idle_timeout_ms: null,
      expires_at: null,
      memory_mib_ms: 0,
      memory_counted_ms: 0,
      created_at: begun,
      updated_at: begun,
      started_at: begun,
      last_active_at: begun,
    })
    .execute()
  const times = { started_at: begun, ended_at: begun + 60_000 }
  const use = { id: 'u', account_id: 'a', computer_id: 'c', meter: 'compute' as const, ...times }
  await db
    .insertInto('usage_intervals')
    .values({ ...use, quantity: chargedMs, amount_micros: 0, token_id: null, label: null })
    .execute()
  return db
}

async function used(db: Kysely<Database>, usedMs: number): Promise<void> {
  const mark = { computer_id: 'c', account_id: 'a', cpus: 2, counter_micros: 0, open_ms: 100_000, at: begun + 60_000 }
  await db
    .insertInto('compute_marks')
    .values({ ...mark, used_micros: usedMs * 1000 })
    .execute()
}

async function ran(db: Kysely<Database>, spans: [number, number][], facts: Partial<ProcessRow> = {}): Promise<void> {
  for (const [index, [from, to]] of spans.entries())
    await db
      .insertInto('processes')
      .values({
        id: `p${index}`,
        account_id: 'a',
        node_id: 'node',
        computer_id: 'c',
        name: 'p',
        kind: 'exec',
        command: 'true',
        state: 'ended',
        pid: 1,
        reason: 'exited',
        exit_code: 0,
        signal: null,
        output_bytes: 0,
        truncated: 0,
        kept_bytes: 0,
        started_at: begun + from,
        ended_at: begun + to,
        ...facts,
      })
      .execute()
}

test('finds a sandbox that used more processor time than was charged', async (t) => {
  const db = await sandbox(t, 10_000)
  await used(db, 40_000)
  assert.deepEqual(await unpaidProcessorTime(db, 20), [
    'Computer "c" used 40.0 s of processors, and 10.0 s of it were charged',
  ])
})

test('two processors can work twice the charged time, and an idle kernel a little', async (t) => {
  const db = await sandbox(t, 10_000)
  await used(db, 20_500)
  assert.deepEqual(await unpaidProcessorTime(db, 20), [])
})

test('finds a sandbox whose programs ran longer than was charged', async (t) => {
  const db = await sandbox(t, 10_000)
  await ran(db, [
    [0, 8000],
    [1000, 6500],
    [7000, 13_000],
    [20_000, 29_000],
    [40_000, 44_000],
  ])
  assert.deepEqual(await unpaidProcesses(db, 20), [
    'Programs of computer "c" ran for 20.0 s, and 10.0 s of it were charged',
  ])
})

test('programs that ran at the same time count once, kernels and lost programs do not count', async (t) => {
  const db = await sandbox(t, 10_000)
  await ran(
    db,
    Array.from({ length: 10 }, (): [number, number] => [0, 10_000]),
  )
  assert.deepEqual(await unpaidProcesses(db, 20), [])
  await db.deleteFrom('processes').execute()
  await ran(db, [[0, 50_000]], { kind: 'kernel' })
  assert.deepEqual(await unpaidProcesses(db, 20), [])
  await db.deleteFrom('processes').execute()
  await ran(db, [[0, 50_000]], { reason: 'lost' })
  assert.deepEqual(await unpaidProcesses(db, 20), [])
})
