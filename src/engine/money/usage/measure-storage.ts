import { setImmediate as turn } from 'node:timers/promises'
import type { ExpressionBuilder } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, Meter } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import { chargeUsage } from './charge-usage.ts'
import type { UsagePiece } from './record-usage.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Records what the disks of all computers hold, as of the last hour: hot for those that run, cold for those that are
 * stopped. What a server did not see, because none ran, is not counted.
 */
export async function measureStorage(
  engine: Pick<MoneyContext, 'db' | 'driver' | 'settings' | 'server' | 'prices' | 'credit'>,
  now: number = Date.now(),
): Promise<void> {
  const existing = (await engine.driver.list()).map(({ id }) => id)
  const pieces: UsagePiece[] = []
  for (const { id, account_id, name, state, created_at, measured_to } of await measurable(engine, existing)) {
    const stats = await engine.driver.stats(id).catch(() => undefined)
    if (stats?.diskBytes === undefined) continue
    const startedAtMs = Math.max(measured_to, Number(created_at), now - limits.storageIntervalMs)
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
      label: name,
    })
  }
  if (pieces.length > 0) await chargeUsage(engine, pieces)
}

/** Of these, accounts' computers whose disks stay, with up to when they were measured. */
async function measurable({ db }: Pick<Context, 'db'>, ids: string[]) {
  const found = []
  for (const some of chunks(ids)) {
    // The database works on this thread: others come between.
    await turn()
    const rows = await db
      .selectFrom('computers')
      .select(['id', 'account_id', 'name', 'state', 'created_at'])
      .select((eb) => [measuredTo(eb, 'storage_hot').as('hot_to'), measuredTo(eb, 'storage_cold').as('cold_to')])
      .where('id', 'in', some)
      .where('account_id', 'is not', null)
      .where('state', 'in', ['running', 'paused', 'stopped'])
      .execute()
    found.push(
      ...rows.map((row) => ({ ...row, measured_to: Math.max(Number(row.hot_to ?? 0), Number(row.cold_to ?? 0)) })),
    )
  }
  return found
}

function measuredTo(eb: ExpressionBuilder<Database, 'computers'>, meter: Meter) {
  return eb
    .selectFrom('usage_intervals')
    .select(({ fn }) => fn.max('usage_intervals.ended_at').as('at'))
    .whereRef('usage_intervals.computer_id', '=', 'computers.id')
    .where('usage_intervals.meter', '=', meter)
}
