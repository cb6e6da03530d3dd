import { setImmediate as turn } from 'node:timers/promises'
import type { ExpressionBuilder } from 'kysely'
import { computerPages } from '../../../drivers/driver-pages.ts'
import { limits } from '../../../config/limits.ts'
import type { Database, Meter } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import { chargeUsage } from './charge-usage.ts'
import type { UsageInterval } from './record-usage.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Records what the disks of this node's computers hold, for the last hour at most: hot for running computers, cold for stopped
 * ones. Time in which no server ran is not counted.
 */
export async function measureStorage(
  engine: Pick<MoneyContext, 'db' | 'node' | 'driver' | 'settings' | 'server' | 'prices' | 'credit'>,
  now: number = Date.now(),
): Promise<void> {
  for await (const computers of computerPages(engine.driver)) {
    const ids = computers.map(({ id }) => id)
    const intervals = await intervalsOf(engine, ids, now)
    if (intervals.length > 0) await chargeUsage(engine, intervals)
  }
}

async function intervalsOf(
  engine: Pick<MoneyContext, 'db' | 'node' | 'driver'>,
  ids: string[],
  now: number,
): Promise<UsageInterval[]> {
  const intervals: UsageInterval[] = []
  for (const { id, account_id, name, state, created_at, measured_to } of await measurable(engine, ids)) {
    const stats = await engine.driver.stats(id).catch(() => undefined)
    if (stats?.diskBytes === undefined) continue
    const startedAtMs = Math.max(measured_to, Number(created_at), now - limits.storageIntervalMs)
    const quantity = Math.floor((stats.diskBytes / 1024) * ((now - startedAtMs) / 1000))
    if (quantity < 1) continue
    intervals.push({
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
  return intervals
}

/**
 * Returns those of the computers that are at home here, belong to accounts and whose disks stay, with the time of the
 * last measurement.
 */
async function measurable({ db, node }: Pick<Context, 'db' | 'node'>, ids: string[]) {
  const found = []
  for (const some of chunks(ids)) {
    // The database works on this thread: let other work run in between.
    await turn()
    const rows = await db
      .selectFrom('computers')
      .select(['id', 'account_id', 'name', 'state', 'created_at'])
      .select((eb) => [measuredTo(eb, 'storage_hot').as('hot_to'), measuredTo(eb, 'storage_cold').as('cold_to')])
      .where('id', 'in', some)
      .where('node_id', '=', node.id)
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
