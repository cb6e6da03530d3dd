import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { Driver, ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import { DatabaseHealth } from '../../database-health.ts'
import { HelperStates } from '../../../helper-states.ts'
import { ProcessRecorder } from './recorder.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const exit: ProcessExit = {
  reason: 'exited',
  exitCode: 3,
  signal: null,
  endedAtMs: 2000,
  outputBytes: 5,
  truncated: false,
}

async function recorder(t: TestContext) {
  const db = await openTestDatabase(t)
  const released: string[] = []
  const driver = { release: (id: string) => released.push(id) } as unknown as Driver
  const helpers = new HelperStates()
  const log = pino({ level: 'silent' })
  return {
    db,
    released,
    helpers,
    recorder: new ProcessRecorder({
      db,
      node: { id: 'node' },
      driver,
      log,
      health: new DatabaseHealth({ db, helpers, log }),
    }),
  }
}

function handle(processId: string, ended?: ProcessExit): ProcessHandle {
  const meta = { accountId: 'account', name: `name of ${processId}`, kind: 'background', command: 'sleep 1' }
  return { processId, computerId: 'computer', pid: 7, startedAtMs: 1000, meta, exit: ended } as unknown as ProcessHandle
}

test('a start and an end make one row, and only then is the process released by the driver', async (t) => {
  const { db, released, recorder: recorded } = await recorder(t)
  await recorded.started(handle('a'))
  const [running] = await db.selectFrom('processes').selectAll().execute()
  assert.deepEqual([running?.state, running?.name, running?.exit_code], ['running', 'name of a', null])
  assert.deepEqual(released, [])
  recorded.ended(handle('a'), exit)
  assert.equal(recorded.pending('a')?.state, 'ended')
  await recorded.flush()
  const rows = await db.selectFrom('processes').selectAll().execute()
  assert.deepEqual(
    rows.map(({ state, reason, exit_code, ended_at, output_bytes }) => [
      state,
      reason,
      exit_code,
      ended_at,
      output_bytes,
    ]),
    [['ended', 'exited', 3, 2000, 5]],
  )
  assert.deepEqual([released, recorded.pending('a')], [['a'], undefined])
})

test('an end that comes before the start is recorded is not lost', async (t) => {
  const { db, released, recorder: recorded } = await recorder(t)
  const ended = handle('a', exit)
  recorded.ended(ended, exit)
  await recorded.started(ended)
  await recorded.flush()
  const rows = await db.selectFrom('processes').select(['state', 'exit_code']).execute()
  assert.deepEqual(
    rows.map(({ state, exit_code }) => [state, exit_code]),
    [['ended', 3]],
  )
  assert.ok(released.includes('a'))
})

test('more rows than fit in one statement are all recorded', async (t) => {
  const { db, released, recorder: recorded } = await recorder(t)
  for (let index = 0; index < 2500; index++) recorded.ended(handle(`p${index}`), exit)
  await recorded.flush()
  const { count } = await db
    .selectFrom('processes')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  assert.deepEqual([Number(count), released.length], [2500, 2500])
})

test('a row that cannot be written is kept for the next attempt', async (t) => {
  const { db, released, helpers, recorder: recorded } = await recorder(t)
  await db.schema.alterTable('processes').renameTo('elsewhere').execute()
  recorded.ended(handle('a'), exit)
  await recorded.flush()
  assert.equal(recorded.pending('a')?.state, 'ended')
  assert.deepEqual(released, [])
  assert.equal(helpers.all()[0]?.status, 'degraded')
  await db.schema.alterTable('elsewhere').renameTo('processes').execute()
  await recorded.flush()
  assert.deepEqual([released, recorded.pending('a')], [['a'], undefined])
})

test('what ends after a second attempt that found nothing to write is recorded', async (t) => {
  const { db, released, recorder: recorded } = await recorder(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await db.schema.alterTable('processes').renameTo('elsewhere').execute()
  const failed = recorded.started(handle('a'))
  await failed
  await db.schema.alterTable('elsewhere').renameTo('processes').execute()
  await recorded.flush()
  t.mock.timers.tick(retryMs)
  await recorded.started({ ...handle('b'), exit })
  assert.deepEqual(released, ['b'])
})

test('what ends during a write is recorded soon after it', async (t) => {
  const { released, recorder: recorded } = await recorder(t)
  const first = recorded.started(handle('a'))
  recorded.ended(handle('b'), exit)
  await first
  while (released.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(released, ['b'])
})

const retryMs = 1000
