import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPrices } from '../../../config/price-book.ts'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { testEngine } from '../../../../test/support/test-engine.ts'
import type { ComputerState } from '../../../db/schema.ts'
import { balanceOf } from '../ledger/balance.ts'
import { grantFirstCredit } from '../ledger/grant.ts'
import { measureStorage } from './measure-storage.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

const hour = 3_600_000
const GiB = 1024 ** 3

test('disks cost by the hour and the GiB: hot while the computer runs, cold while it is stopped', async (t) => {
  const db = await openTestDatabase(t)
  const disks: Record<string, number | undefined> = {
    runs: 2 * GiB,
    stands: 6 * GiB,
    young: 4 * GiB,
    unknown: undefined,
  }
  const prices = {
    ...defaultPrices,
    meters: {
      ...defaultPrices.meters,
      storage_hot: { micros: 300, per: defaultPrices.meters.storage_hot.per },
      storage_cold: { micros: 100, per: defaultPrices.meters.storage_cold.per },
    },
  }
  const stats = { memoryBytes: 0, memoryLimitBytes: 0, cpuMicros: 0, pids: 0, diskLimitBytes: 0, oomKills: 0 }
  const driver = Object.assign(MemoryDriver.open(new MemoryHost()), {
    list: async () => ({ computers: Object.keys(disks).map((id) => ({ id, running: true, paused: false })) }),
    stats: async (id: string) => ({ ...stats, diskBytes: disks[id], exclusiveDiskBytes: disks[id] }),
  })
  const engine = await testEngine({ db, driver, prices, env: { CARREL_BILLING: 'on' }, ownerId: 'nobody' })
  t.after(() => driver.close())
  await db.insertInto('accounts').values({ id: 'a', name: 'a', created_at: 0, shared: 0 }).execute()
  const add = (id: string, state: ComputerState, createdAt: number) =>
    db
      .insertInto('computers')
      .values({
        id,
        account_id: 'a',
        name: id,
        node_id: engine.node.id,
        fence: 0,
        image: 'i',
        state,
        state_reason: null,
        cpus: 1,
        memory_bytes: 1,
        disk_bytes: 1,
        pids: 1,
        lifecycle: 'durable',
        idle_timeout_ms: null,
        expires_at: null,
        memory_mib_ms: 0,
        memory_counted_ms: 0,
        created_at: createdAt,
        updated_at: 0,
        started_at: null,
        last_active_at: 0,
      })
      .execute()
  await add('runs', 'running', 0)
  await add('stands', 'stopped', 0)
  await add('young', 'running', 99.75 * hour)
  await add('unknown', 'running', 0)
  await add('gone', 'stopped', 0)
  await grantFirstCredit(db, ['a'], prices)
  const spent = async () => 5_000_000 - (await balanceOf(db, 'a'))

  // Storage before the last hour was not measured and costs nothing.
  await measureStorage(engine, 100 * hour)
  assert.equal(await spent(), 2 * 300 + 6 * 100 + 300)
  await measureStorage(engine, 100 * hour)
  assert.equal(await spent(), 1500)
  await measureStorage(engine, 100.5 * hour)
  assert.equal(await spent(), 1500 + 300 + 300 + 600)
  const rows = await db
    .selectFrom('usage_intervals')
    .select(['computer_id', 'meter', 'label'])
    .distinct()
    .orderBy('computer_id')
    .execute()
  assert.deepEqual(
    rows.map(({ computer_id, meter, label }) => [computer_id, meter, label]),
    [
      ['runs', 'storage_hot', 'runs'],
      ['stands', 'storage_cold', 'stands'],
      ['young', 'storage_hot', 'young'],
    ],
  )
})
