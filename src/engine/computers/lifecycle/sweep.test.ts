import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { testEngine } from '../../../../test/support/test-engine.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { createAccount } from '../../identity/accounts/owner.ts'
import { newComputer } from './new-computer.ts'
import { sweepLeases } from './sweep.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'

/** Returns an engine whose sandboxes have an idle time of zero, and what its driver was asked to do. */
async function idleEngine(t: TestContext) {
  const db = await openTestDatabase(t)
  const asked: string[] = []
  const ask = (verb: string) => async (id: string) => void asked.push(`${verb} ${id}`)
  const driver = Object.assign(MemoryDriver.open(new MemoryHost()), { stop: ask('stop'), destroy: ask('destroy') })
  const engine = await testEngine({ db, driver })
  t.after(() => driver.close())
  engine.settings.idleTimeoutMs = 0
  const accountId = await createAccount(db, 'a')
  const running = async (name: string, more: Partial<ComputerRow>) => {
    const row = { ...newComputer(engine, { accountId, name }), id: name, state: 'running' as const, ...more }
    await db.insertInto('computers').values(row).execute()
    engine.activity.touch(name)
  }
  const states = async () =>
    Object.fromEntries((await db.selectFrom('computers').selectAll().execute()).map(({ id, state }) => [id, state]))
  return { engine, accountId, running, states, asked }
}

test('an idle sandbox stops by the setting and loses its files; a durable computer stops by its own idle time and keeps them', async (t) => {
  const { engine, running, states, asked } = await idleEngine(t)
  await running('sandbox', { idle_timeout_ms: 3_600_000 })
  await running('idle', { lifecycle: 'durable', idle_timeout_ms: 0 })
  await running('busy', { lifecycle: 'durable', idle_timeout_ms: 3_600_000 })
  await running('endless', { lifecycle: 'durable', idle_timeout_ms: null })
  await sweepLeases(engine)
  assert.deepEqual(await states(), { sandbox: 'stopped', idle: 'stopped', busy: 'running', endless: 'running' })
  assert.deepEqual(asked.toSorted(), ['destroy sandbox', 'stop idle', 'stop sandbox'])
})

test('an idle sandbox of an account without credit is kept for a while, as stopping would delete its files', async (t) => {
  const { engine, accountId, running, states } = await idleEngine(t)
  await running('sandbox', {})
  await running('durable', { lifecycle: 'durable', idle_timeout_ms: 0 })
  engine.credit.update(accountId, -engine.prices.overdraftMicros)
  await sweepLeases(engine)
  assert.deepEqual(await states(), { sandbox: 'running', durable: 'stopped' })
})
