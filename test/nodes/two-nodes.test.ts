import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { reconcile, settleInconsistent } from '../../src/engine/computers/lifecycle/reconcile.ts'
import { sweepLeases } from '../../src/engine/computers/lifecycle/sweep.ts'
import { stopUnpaid } from '../../src/engine/computers/credit/stop-unpaid.ts'
import { takeDueSnapshots } from '../../src/engine/computers/snapshots/automatic-snapshots.ts'
import { pruneProcesses } from '../../src/engine/computers/processes/prune-processes.ts'
import { recoverProcesses } from '../../src/engine/computers/processes/recover-processes.ts'
import { settleInteractions } from '../../src/engine/environments/interactions/settle-interactions.ts'
import { recoverSessions, sweepSessions } from '../../src/engine/environments/sessions/sweep-sessions.ts'
import { claimKey, pruneKeys } from '../../src/engine/idempotency/keys.ts'
import { measureSnapshots } from '../../src/engine/money/usage/measure-snapshots.ts'
import { recoverUsage } from '../../src/engine/money/usage/recover-usage.ts'
import { settleRunning } from '../../src/engine/money/usage/settle-usage.ts'
import { transaction } from '../../src/db/transaction.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { addSample } from '../support/sample.ts'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

/** Sandboxes are idle at once, so that a sweep over those of another node would stop them. */
const env = {
  CARREL_IDLE_TIMEOUT_S: '1',
  CARREL_SWEEP_INTERVAL_MS: '3600000',
  CARREL_WARM_COMPUTERS: '1',
  CARREL_SNAPSHOT_HOURS: '1',
}

const anySnapshot = {
  id: 'snapshot',
  computer_name: null,
  files_since: 0,
  kind: 'manual' as const,
  image: 'slim',
  state: 'ready' as const,
  failure_reason: null,
  size_bytes: 1024 ** 3,
  added_bytes: 1024 ** 3,
  paused_ms: 0,
  memory_bytes: 1,
  disk_bytes: 1,
  size_preset: null,
  created_at: 0,
  updated_at: 0,
  ready_at: 0,
  measured_at: 0,
}

/** Everything that a server does with rows at its start and periodically, and that only the node's may do. */
const walks: Record<string, (engine: Engine) => Promise<unknown>> = {
  reconcile,
  recoverProcesses,
  recoverUsage: async (engine) => {
    await recoverUsage(engine)
    await settleRunning(engine)
  },
  'operations.resume': (engine) => engine.operations.resume(),
  pruneKeys: (engine) => pruneKeys(engine, { unfinished: true }),
  measureSnapshots,
  takeDueSnapshots,
  sweepLeases,
  settleInconsistent,
  pruneProcesses,
  recoverSessions,
  sweepSessions,
  settleInteractions,
  'uptime.check': (engine) => engine.uptime.check(),
  stopUnpaid: (engine) => stopUnpaid(engine, engine.server.ownerId, { why: 'out_of_credits' }),
}

describe('two servers with a data directory each, over one database', { timeout: 60_000 }, () => {
  let first: TestApp
  let second: TestApp
  const sessionId = newSession()
  before(async () => {
    first = await TestApp.start({ env })
    await first.shell('echo kept > file', { sessionId })
    await first.post('/process/start', { command: 'sleep 1000', processId: 'web', sessionId })
    await first.shell('sleep 1000 &', { sessionId })
    // What a request and an operation of the first node have under way.
    const request = { method: 'POST', path: '/execute', body: {} }
    await claimKey(first.engine, { accountId: first.engine.server.ownerId, key: 'open', ...request })
    const asked = { accountId: first.engine.server.ownerId, actor: 'token', kind: 'unknown' }
    await transaction(first.db, 'operational', (trx) =>
      first.engine.operations.insert(trx, { ...asked, resource: { type: 'computer', id: 'none' } }),
    )
    const sample = await addSample(first.db, { source: { image: first.engine.defaultImage.id } })
    const { session_id: environment } = (await first.post('/sessions', sample)).body
    await until(
      () => first.call('GET', `/sessions/${environment}`),
      ({ body }) => body.status === 'ready',
    )
    await first.post(`/sessions/${environment}/exec`, { command: 'sleep 1000' })
    await first.engine.uptime.check()
    await first.engine.recorder.flush()
    await settleRunning(first.engine)
    // Its session is over, one of its processes ended long ago, and one of its computers is one that is stopped when credit ends.
    await first.db.updateTable('processes').set({ ended_at: 1 }).where('state', '=', 'ended').execute()
    await first.db.updateTable('sessions').set({ expires_at: 1 }).execute()
    const kept = newSession()
    await first.shell('true', { sessionId: kept })
    await first.db.updateTable('computers').set({ lifecycle: 'durable' }).where('name', '=', kept).execute()
    const { id } = await first.db.selectFrom('computers').selectAll().where('name', '=', kept).executeTakeFirstOrThrow()
    const snapshot = { ...anySnapshot, computer_id: id, account_id: first.engine.server.ownerId }
    await first.db
      .insertInto('snapshots')
      .values({ ...snapshot, node_id: first.engine.node.id })
      .execute()
    second = await TestApp.start({ env, node: 'second' })
  })
  after(async () => {
    await second.stop()
    await first.stop()
  })

  /** Returns the rows of the first node, in each table that a server acts on. */
  const contents = async () => {
    const { db, engine } = first
    const { id } = engine.node
    const computers = await db.selectFrom('computers').selectAll().where('node_id', '=', id).execute()
    const found: Record<string, unknown> = { computers }
    for (const table of [
      'processes',
      'operations',
      'idempotency',
      'uptime_hours',
      'snapshots',
      'sessions',
      'interactions',
    ] as const)
      found[table] = await db.selectFrom(table).selectAll().where('node_id', '=', id).execute()
    for (const table of ['ports', 'usage_intervals', 'compute_marks'] as const)
      found[table] = await db
        .selectFrom(table)
        .selectAll()
        .where(
          'computer_id',
          'in',
          computers.map(({ id }) => id),
        )
        .execute()
    return found
  }

  test('the second one has started, with a computer of its own', async () => {
    const own = newSession()
    assert.equal((await second.shell('echo $((6 * 7))', { sessionId: own })).stdout, '42\n')
    const { node_id } = await first.db
      .selectFrom('computers')
      .select('node_id')
      .where('name', '=', own)
      .executeTakeFirstOrThrow()
    assert.deepEqual([node_id, node_id === first.engine.node.id], [second.engine.node.id, false])
  })

  for (const [name, walk] of Object.entries(walks))
    test(`${name}() of the second one changes nothing of the first`, async (t) => {
      const earlier = await contents()
      assert.equal((earlier['computers'] as { state: string }[])[0]!.state, 'running')
      // A computer was last used long ago, as far as the second server could know.
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 10_000 })
      for (const { id } of earlier['computers'] as { id: string }[]) second.engine.activity.begin(id)()
      t.mock.timers.tick(10_000)
      await walk(second.engine)
      t.mock.timers.reset()
      assert.deepEqual(await contents(), earlier)
    })

  test('the computer of the first one runs on, with its files and processes', async () => {
    assert.equal((await first.shell('cat file', { sessionId })).stdout, 'kept\n')
    const { processes } = await first.done('/process/list', { sessionId })
    assert.deepEqual(
      processes.map(({ command, status }: { command: string; status: string }) => [command, status]),
      [['sleep 1000', 'running']],
    )
  })

  test('the metrics of each count the computers of its own node', async () => {
    const running = async (app: TestApp) => {
      const { body } = await app.call('GET', '/metrics')
      return Number(/carrel_computers\{state="running"\} (\d+)/.exec(body)?.[1] ?? 0)
    }
    const rows = async ({ engine }: TestApp) =>
      (
        await first.db
          .selectFrom('computers')
          .select('id')
          .where('node_id', '=', engine.node.id)
          .where('state', '=', 'running')
          .execute()
      ).length
    for (const app of [first, second])
      await until(
        async () => [await running(app), await rows(app)],
        ([told, recorded]) => told === recorded,
      )
  })
})
