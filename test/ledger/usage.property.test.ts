import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { defaultPrices } from '../../src/config/price-book.ts'
import type { ComputerRow, Lifecycle } from '../../src/db/schema.ts'
import { CreditWatch } from '../../src/engine/money/credit/credit-watch.ts'
import type { Driver } from '../../src/drivers/driver.ts'
import { testEngine } from '../support/test-engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { balanceOf } from '../../src/engine/money/ledger/balance.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { nodeFacts } from '../../src/engine/nodes/node-facts.ts'
import { grantFirstCredit } from '../../src/engine/money/ledger/grant.ts'
import { verifyBooks } from '../../src/engine/money/ledger/verify-books.ts'
import { ComputeMeter } from '../../src/engine/money/usage/compute-meter.ts'
import { closeUsage, openUsage } from '../../src/engine/money/usage/metered.ts'
import { recoverUsage } from '../../src/engine/money/usage/recover-usage.ts'
import { settleRunning } from '../../src/engine/money/usage/settle-usage.ts'
import { Crash, MortalDatabase } from './mortal-database.ts'
import { Locks } from '../../src/engine/locks.ts'
import { propertyRuns } from '../support/test-database.ts'

/** Everything that the servers of these tests share. */
const base = await testEngine({ env: { CARREL_BILLING: 'on' }, ownerId: 'nobody', prices: defaultPrices })
await base.driver.close()
await base.db.destroy()

/** A process, as the host knows it whatever happens to the server. */
interface Run {
  id: string
  computerId: string
  tokenId: string
  startedAtMs: number
  endedAtMs: number | undefined
}

/** Two sandboxes and a durable computer, on a host whose server dies now and then. */
class World {
  nowMs = 1_000_000
  readonly mortal: MortalDatabase
  readonly runs: Run[] = []
  readonly always: { fromMs: number; toMs: number | undefined }[] = []
  engine!: Engine

  constructor(mortal: MortalDatabase) {
    this.mortal = mortal
  }

  static async make(mortal: MortalDatabase): Promise<World> {
    const world = new World(mortal)
    const { db } = mortal
    for (const account of ['a', 'b'])
      await db.insertInto('accounts').values({ id: account, name: account, created_at: 0, shared: 0 }).execute()
    assert.deepEqual(await claimNode(db, base.node.id, nodeFacts(base.settings)), base.node)
    for (const row of [computer('s1', 'a', 'sandbox'), computer('s2', 'b', 'sandbox'), computer('own', 'b', 'durable')])
      await db.insertInto('computers').values(row).execute()
    await grantFirstCredit(db, ['a', 'b'], defaultPrices)
    await world.serve()
    for (const id of ['s1', 's2']) await openUsage(world.engine, computer(id, id === 's1' ? 'a' : 'b', 'sandbox'))
    return world
  }

  /** Starts a server, the first one or one after a death. */
  async serve(): Promise<void> {
    await this.mortal.revive()
    const driver: Driver = Object.assign(Object.create(base.driver), {
      cpuMicros: () => undefined,
      process: (id: string) => ({ meta: { tokenId: this.runs.find((run) => run.id === id)?.tokenId } }),
    })
    this.engine = {
      ...base,
      db: this.mortal.db,
      driver,
      locks: new Locks(),
      credit: new CreditWatch(defaultPrices),
      meter: new ComputeMeter({ now: () => this.nowMs, elapsed: () => this.nowMs, cpuMicros: () => undefined }),
    }
    await this.record()
    await recoverUsage(this.engine, this.nowMs)
  }

  /** Writes what the recorder writes; after a death, what the monitor kept. */
  async record(): Promise<void> {
    for (const { id, computerId, startedAtMs, endedAtMs } of this.runs) {
      const state = endedAtMs === undefined ? ('running' as const) : ('ended' as const)
      const changing = { state, ended_at: endedAtMs ?? null, reason: endedAtMs === undefined ? null : 'exited' }
      await this.mortal.db
        .insertInto('processes')
        .values({
          id,
          account_id: '',
          node_id: base.node.id,
          computer_id: computerId,
          name: id,
          kind: 'exec',
          command: '',
          pid: 1,
          exit_code: null,
          signal: null,
          output_bytes: 0,
          truncated: 0,
          started_at: startedAtMs,
          ...changing,
        })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
        .execute()
    }
  }

  start(computerId: string, tokenId: string): void {
    const run = { id: `p${this.runs.length}`, computerId, tokenId, startedAtMs: this.nowMs, endedAtMs: undefined }
    this.runs.push(run)
    this.engine.meter.began(computerId, run.id, tokenId)
  }

  end(index: number): void {
    const live = this.runs.filter(({ endedAtMs }) => endedAtMs === undefined)
    const run = live[index % live.length]
    if (!run) return
    run.endedAtMs = this.nowMs
    this.engine.meter.ended(run.computerId, run.id)
  }

  async toggleOwn(): Promise<void> {
    const last = this.always.at(-1)
    const runs = last !== undefined && last.toMs === undefined
    const set = runs ? { state: 'stopped' as const } : { state: 'running' as const, started_at: this.nowMs }
    await this.mortal.db.updateTable('computers').set(set).where('id', '=', 'own').execute()
    if (runs) last.toMs = this.nowMs
    else this.always.push({ fromMs: this.nowMs, toMs: undefined })
    if (runs) await closeUsage(this.engine, 'own')
    else await openUsage(this.engine, computer('own', 'b', 'durable'))
  }

  /** Returns for how long something really ran. */
  truth(computerId: string): number {
    const moments = new Set<number>()
    const stretches =
      computerId === 'own'
        ? this.always.map(({ fromMs, toMs }) => [fromMs, toMs] as const)
        : this.runs
            .filter((run) => run.computerId === computerId)
            .map(({ startedAtMs, endedAtMs }) => [startedAtMs, endedAtMs] as const)
    for (const [from, to = this.nowMs] of stretches) for (let at = from; at < to; at++) moments.add(at)
    return moments.size
  }
}

function computer(id: string, accountId: string, lifecycle: Lifecycle): ComputerRow {
  const none = { state_reason: null, idle_timeout_ms: null, expires_at: null }
  const size = { cpus: 1, memory_bytes: 1, disk_bytes: 1, pids: 1 }
  const times = { created_at: 1_000_000, updated_at: 0, started_at: 1_000_000, last_active_at: 0 }
  const unnamed = {
    display_name: null,
    size_preset: null,
    snapshot_id: null,
    authorized_keys: null,
    restored_at: null,
    memory_mib_ms: 0,
    memory_counted_ms: 0,
  }
  const state = lifecycle === 'sandbox' ? ('running' as const) : ('stopped' as const)
  const home = { node_id: base.node.id, fence: 0 }
  return {
    id,
    account_id: accountId,
    name: id,
    ...home,
    image: 'i',
    state,
    lifecycle,
    ...none,
    ...size,
    ...times,
    ...unnamed,
  }
}

const doing = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('start' as const),
      at: fc.constantFrom('s1', 's2'),
      token: fc.constantFrom('t1', 't2'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('end' as const), which: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('pass' as const), ms: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('own' as const) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('die' as const), ms: fc.nat(400) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('die while settling' as const),
      at: fc.nat(16),
      dies: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
)
type Doing = typeof doing extends fc.Arbitrary<infer T> ? T : never

async function take(world: World, step: Doing): Promise<void> {
  switch (step.is) {
    case 'start':
      return world.start(step.at, step.token)
    case 'end':
      return world.end(step.which)
    case 'pass':
      world.nowMs += step.ms
      return
    case 'settle':
      return settleRunning(world.engine)
    case 'own':
      return world.toggleOwn()
    case 'die':
      // The host continues while there is no server.
      world.nowMs += step.ms
      return world.serve()
    case 'die while settling':
      world.mortal.dieAt(step.at, step.dies)
      await settleRunning(world.engine).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error
      })
      return world.serve()
  }
}

test('every millisecond in which something ran is charged once, whenever the server dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(doing, { minLength: 1, maxLength: 30 }), async (steps) => {
      await using mortal = await MortalDatabase.make()
      const world = await World.make(mortal)
      for (const step of steps) {
        await take(world, step)
        assert.deepEqual((await verifyBooks(world.engine.db, 0)).problems, [])
      }
      await settleRunning(world.engine)
      const { db } = world.engine
      assert.deepEqual((await verifyBooks(db, 0)).problems, [])
      const rows = await db.selectFrom('usage_intervals').selectAll().execute()
      for (const id of ['s1', 's2', 'own']) {
        const charged = rows.filter((row) => row.computer_id === id).reduce((sum, { quantity }) => sum + quantity, 0)
        assert.equal(charged, world.truth(id), `milliseconds of ${id}`)
      }
      const cost = (...ids: string[]) => Math.floor(ids.reduce((sum, id) => sum + world.truth(id), 0) / 10)
      assert.equal(await balanceOf(db, 'a'), 5_000_000 - cost('s1'))
      assert.equal(await balanceOf(db, 'b'), 5_000_000 - cost('s2', 'own'))
    }),
    { numRuns: propertyRuns },
  )
})
