import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { testEngine } from '../../../../test/support/test-engine.ts'
import { limits } from '../../../config/limits.ts'
import { chunks } from '../../../db/chunks.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import { computerPages } from '../../../drivers/driver-pages.ts'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { reconcile } from './reconcile.ts'

/** An engine whose host has some computers, and whose database has others. */
async function engineWith(t: TestContext) {
  const db = await openTestDatabase(t)
  const driver = MemoryDriver.open(new MemoryHost())
  t.after(() => driver.close())
  await db.insertInto('accounts').values({ id: 'a', name: 'a', created_at: 0, shared: 0 }).execute()
  const engine = await testEngine({ db, driver, ownerId: 'a' })
  const size = { cpus: 1, memoryBytes: 1024, diskBytes: 1024, pids: 8 }
  const create = async (id: string) =>
    driver.create({ id, source: { image: engine.defaultImage.id }, hostname: id, limits: size })
  const record = async (ids: string[]) => {
    for (const some of chunks(ids).map((part) => part.map((id) => rowOf(id, engine.node.id))))
      await db.insertInto('computers').values(some).execute()
  }
  const existing = async () => (await Array.fromAsync(computerPages(driver))).flat().map(({ id }) => id)
  return { engine, driver, create, record, existing }
}

function rowOf(id: string, nodeId: string) {
  const size = { cpus: 1, memory_bytes: 1024, disk_bytes: 1024, pids: 8 }
  const times = {
    created_at: 0,
    updated_at: 0,
    started_at: null,
    last_active_at: 0,
    expires_at: null,
    memory_mib_ms: 0,
    memory_counted_ms: 0,
  }
  return {
    ...{ ...size, ...times },
    ...{
      id,
      node_id: nodeId,
      fence: 0,
      account_id: 'a',
      name: id,
      image: 'i',
      state: 'stopped' as const,
      state_reason: null,
    },
    ...{ lifecycle: 'durable' as const, idle_timeout_ms: null },
  }
}

const numbered = (index: number) => `c${String(index).padStart(5, '0')}`

test('reconcile() destroys the computers without a row on every page, and keeps the others', async (t) => {
  const { engine, create, record, existing } = await engineWith(t)
  const ids = Array.from({ length: 2 * limits.driverPageItems + 3 }, (_, index) => numbered(index))
  for (const id of ids) await create(id)
  const isUnknown = (_: string, index: number) => index % (limits.driverPageItems - 1) === 1
  await record(ids.filter((id, index) => !isUnknown(id, index)))
  assert.equal(ids.filter(isUnknown).length, 3)
  await reconcile(engine)
  assert.deepEqual(
    await existing(),
    ids.filter((id, index) => !isUnknown(id, index)),
  )
})

test('reconcile() does not take a computer for an orphan that is created while it reads pages', async (t) => {
  const { engine, driver, create, record, existing } = await engineWith(t)
  const ids = Array.from({ length: limits.driverPageItems + 1 }, (_, index) => numbered(index))
  for (const id of ids) await create(id)
  await record(ids)
  const appeared: string[] = []
  const appearing = Object.assign(Object.create(null), {
    get: (id: string) => driver.get(id),
    destroy: (id: string) => driver.destroy(id),
    list: async (options: Parameters<typeof driver.list>[0]) => {
      const id = `z${appeared.length}`
      appeared.push(id)
      await record([id])
      await create(id)
      return driver.list(options)
    },
  })
  await reconcile({ ...engine, driver: appearing })
  assert.ok(appeared.length > 2, `${appeared.length} pages were read`)
  assert.deepEqual(await existing(), [...ids, ...appeared])
})

test('reconcile() destroys nothing for a database that knows none of the computers', async (t) => {
  const { engine, create, existing } = await engineWith(t)
  const ids = Array.from({ length: limits.driverPageItems + 1 }, (_, index) => numbered(index))
  for (const id of ids) await create(id)
  const logged: object[] = []
  const log = Object.assign(Object.create(engine.log), { error: (fields: object) => logged.push(fields) })
  await reconcile({ ...engine, log })
  assert.deepEqual(await existing(), ids)
  assert.deepEqual(logged, [{ computers: ids.length }])
})

test('reconcile() tells a computer that was lost from one whose stop or start was cut off', async (t) => {
  const { engine, create, record } = await engineWith(t)
  const states = { idle: 'stopping', asked: 'stopping', gone: 'running', never: 'provisioning' } as const
  await record(Object.keys(states))
  for (const [id, state] of Object.entries(states)) {
    await create(id)
    const set = { state, state_reason: id === 'idle' ? 'idle' : null }
    await engine.db.updateTable('computers').set(set).where('id', '=', id).execute()
  }
  await reconcile(engine)
  const rows = await engine.db.selectFrom('computers').select(['id', 'state', 'state_reason']).orderBy('id').execute()
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      ['asked', 'stopped', null],
      ['gone', 'stopped', 'lost'],
      ['idle', 'stopped', 'idle'],
      ['never', 'stopped', 'interrupted'],
    ],
  )
})
