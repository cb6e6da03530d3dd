import { limits } from '../../config/limits.ts'
import type { Engine } from '../engine.ts'
import { chargeUsage } from './charge-usage.ts'
import type { UsagePiece } from './record-usage.ts'

/**
 * Records what the disks of all computers hold, as of the last hour: hot for those that run, cold for those that are stopped.
 * What a server did not see, because none ran, is not counted.
 */
export async function measureStorage(engine: Engine, now: number = Date.now()): Promise<void> {
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'account_id', 'session_key', 'state', 'created_at'])
    .select((eb) =>
      eb
        .selectFrom('usage_intervals')
        .select(({ fn }) => fn.max('usage_intervals.ended_at').as('at'))
        .whereRef('usage_intervals.computer_id', '=', 'computers.id')
        .where('usage_intervals.meter', 'in', ['storage_hot', 'storage_cold'])
        .as('measured_to'),
    )
    .where('account_id', 'is not', null)
    .where('state', 'in', ['running', 'paused', 'stopped'])
    .execute()
  const existing = new Set((await engine.driver.list()).map(({ id }) => id))
  const pieces: UsagePiece[] = []
  for (const { id, account_id, session_key, state, created_at, measured_to } of rows) {
    if (!existing.has(id)) continue
    const stats = await engine.driver.stats(id).catch(() => undefined)
    if (stats?.diskBytes === undefined) continue
    const startedAtMs = Math.max(Number(measured_to ?? 0), Number(created_at), now - limits.storageIntervalMs)
    const quantity = Math.floor((stats.diskBytes / 1024) * ((now - startedAtMs) / 1000))
    if (quantity < 1) continue
    pieces.push({
      id: `usage:${id}:storage:${startedAtMs}`,
      accountId: account_id!,
      computerId: id,
      meter: state === 'stopped' ? 'storage_cold' : 'storage_hot',
      startedAtMs,
      endedAtMs: now,
      quantity,
      tokenId: null,
      label: session_key,
    })
  }
  if (pieces.length > 0) await chargeUsage(engine, pieces)
}
