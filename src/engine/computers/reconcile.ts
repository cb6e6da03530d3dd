import type { ComputerRow } from '../../db/schema.ts'
import type { Engine } from '../engine.ts'
import { closeUsage, extendUsage } from '../usage/intervals.ts'
import { destroyComputer } from './destroy.ts'
import { transition } from './transition.ts'

/**
 * Brings what is recorded and what really runs together, after a start of the server: what nothing owns is removed,
 * what was interrupted is finished or undone, what went on is taken back.
 */
export async function reconcile(engine: Engine): Promise<void> {
  const rows = await engine.db.selectFrom('computers').selectAll().execute()
  const existing = new Map((await engine.driver.list()).map((computer) => [computer.id, computer]))
  const known = new Set(rows.map(({ id }) => id))
  for (const id of existing.keys()) {
    if (!known.has(id)) await engine.driver.destroy(id)
  }
  for (const row of rows) await settle(engine, row, existing.get(row.id)?.running ?? false)
  await extendUsage(engine.db, Date.now())
}

async function settle(engine: Engine, row: ComputerRow, running: boolean): Promise<void> {
  if (row.state === 'deleting') return destroyComputer(engine, row.id, 'server', 'interrupted')
  if (row.account_id === null) return settleWarm(engine, row, running)
  if (running) {
    if (row.state !== 'running' && row.state !== 'paused')
      await transition(engine, row.id, { from: [row.state], to: 'running', actor: 'server', reason: 'taken back' })
    return
  }
  if (row.state === 'stopped' || row.state === 'failed') return
  if (row.ephemeral) await engine.driver.destroy(row.id)
  await closeUsage(engine.db, row.id)
  await transition(engine, row.id, { from: [row.state], to: 'stopped', actor: 'server', reason: 'lost' })
}

async function settleWarm(engine: Engine, row: ComputerRow, running: boolean): Promise<void> {
  const fits = row.image === engine.defaultImage.id && row.memory_bytes === engine.settings.computerMemoryBytes
  if (running && row.state === 'running' && fits && engine.warmPool.ready < engine.settings.warmComputers)
    engine.warmPool.adopt(row.id)
  else await destroyComputer(engine, row.id, 'server', 'not needed')
}

/** A computer's first process ended without being asked to. */
export async function stoppedByItself(engine: Engine, id: string, reason: string): Promise<void> {
  engine.warmPool.drop(id)
  await engine.locks.run(id, async () => {
    const row = await engine.db
      .selectFrom('computers')
      .selectAll()
      .where('id', '=', id)
      .where('state', 'in', ['running', 'paused'])
      .executeTakeFirst()
    if (!row) return
    if (row.account_id === null) return destroyComputer(engine, id, 'kernel', reason)
    if (row.ephemeral) await engine.driver.destroy(id)
    await closeUsage(engine.db, id, Date.now())
    await transition(engine, id, { from: ['running', 'paused'], to: 'stopped', actor: 'kernel', reason })
  })
}
