import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transaction } from '../../src/db/transaction.ts'
import { keepMemoryUse } from '../../src/engine/money/usage/computer-usage.ts'
import { settleNow } from '../../src/engine/money/usage/settle-usage.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

test('the usage of a computer is counted while it runs, at each size for itself', async (t) => {
  const app = await TestApp.start()
  t.after(() => app.stop())
  const read = async () => (await app.call('GET', '/v1/computers/used/usage')).body.usage
  const state = async () => (await app.call('GET', '/v1/computers/used')).body.computer.state
  await app.post('/v1/computers', { handle: 'used', size_preset: 'ram-4g' })
  await until(state, (now) => now === 'running')
  const { db, server } = app.engine
  await until(
    async () => {
      await settleNow(app.engine, [server.ownerId])
      return read()
    },
    ({ runtime_seconds }) => runtime_seconds > 0.05,
  )
  const row = await db.selectFrom('computers').selectAll().where('name', '=', 'used').executeTakeFirstOrThrow()
  await transaction(db, 'operational', async (trx) => {
    await keepMemoryUse(trx, row)
    await trx
      .updateTable('computers')
      .set({ memory_bytes: 8 * 1024 ** 3 })
      .where('id', '=', row.id)
      .execute()
  })
  const before = await db.selectFrom('computers').selectAll().where('id', '=', row.id).executeTakeFirstOrThrow()
  await app.post('/v1/computers/used/actions/stop')
  await until(state, (now) => now === 'stopped')
  await settleNow(app.engine, [server.ownerId])
  const usage = await read()
  const [firstSeconds, seconds] = [before.memory_counted_ms / 1000, usage.runtime_seconds]
  assert.ok(firstSeconds > 0 && seconds >= firstSeconds)
  const expected = (firstSeconds * 4 + (seconds - firstSeconds) * 8) / 3600
  assert.ok(Math.abs(usage.ram_gib_hours - expected) < 1e-6, `${usage.ram_gib_hours} is not ${expected}`)
  assert.equal(usage.hot_storage_bytes, 0)
  const { usage: account } = (await app.call('GET', '/v1/usage')).body
  assert.ok(account.runtime_seconds > 0)
  assert.deepEqual(await read(), usage)
})
