import { sql, type Kysely } from 'kysely'
import { limits } from '../../config/limits.ts'
import { readMany } from '../../db/read-many.ts'
import type { Database, UptimeHourRow } from '../../db/schema.ts'
import { transaction } from '../../db/transaction.ts'
import type { Context } from '../context.ts'
import { assertHoldsNode } from '../nodes/holds-node.ts'
import type { ThisNode } from '../nodes/this-node.ts'
import type { CheckCounts } from './check-counts.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** What this server found within one hour. */
export type HourFound = Omit<UptimeHourRow, 'node_id'>

/** What checks of all nodes found from `startsAt` on, for an hour or a day. */
export interface PeriodFound extends CheckCounts {
  slug: string
  startsAt: number
}

/** Adds what this server found to the hours of its node. */
export async function writeHours(db: Kysely<Database>, node: ThisNode, found: readonly HourFound[]): Promise<void> {
  if (found.length === 0) return
  await transaction(db, 'operational', async (trx) => {
    await assertHoldsNode(trx, node)
    await trx
      .insertInto('uptime_hours')
      .values(found.map((hour) => ({ ...hour, node_id: node.id })))
      .onConflict((conflict) =>
        conflict.columns(['node_id', 'slug', 'starts_at']).doUpdateSet((eb) => ({
          operational: eb('uptime_hours.operational', '+', eb.ref('excluded.operational')),
          degraded: eb('uptime_hours.degraded', '+', eb.ref('excluded.degraded')),
          down: eb('uptime_hours.down', '+', eb.ref('excluded.down')),
          last_status: eb.ref('excluded.last_status'),
          last_response_ms: eb.ref('excluded.last_response_ms'),
          checked_at: eb.ref('excluded.checked_at'),
        })),
      )
      .execute()
  })
}

/** Returns the sums of all nodes for each day from `fromMs` to `toMs`, which begin with an hour. */
export async function readDays(db: Kysely<Database>, fromMs: number, toMs: number): Promise<PeriodFound[]> {
  const day = sql<number>`(starts_at / ${sql.lit(dayMs)}) * ${sql.lit(dayMs)}`
  const [days] = await readMany(db, 'server', [
    db
      .selectFrom('uptime_hours')
      .select(['slug', day.as('startsAt'), ...sums])
      .where('starts_at', '>=', fromMs)
      .where('starts_at', '<', toMs)
      .groupBy(['slug', day]),
  ])
  return days
}

/** Returns the sums of all nodes for each hour from `fromMs` on, and what the other nodes have found just now. */
export async function readHours(
  db: Kysely<Database>,
  { node, fromMs, nowMs }: { node: ThisNode; fromMs: number; nowMs: number },
): Promise<{ hours: PeriodFound[]; others: UptimeHourRow[] }> {
  const [hours, others] = await readMany(db, 'server', [
    db
      .selectFrom('uptime_hours')
      .select(['slug', 'starts_at as startsAt', ...sums])
      .where('starts_at', '>=', fromMs)
      .groupBy(['slug', 'starts_at']),
    db
      .selectFrom('uptime_hours')
      .selectAll()
      .where('starts_at', '>', nowMs - 2 * hourMs)
      .where('checked_at', '>', nowMs - freshChecks * limits.uptimeCheckMs)
      .where('node_id', '!=', node.id),
  ])
  return { hours, others }
}

/** Deletes what no summary shows any more. */
export async function pruneUptime({ db }: Pick<Context, 'db'>): Promise<void> {
  await db.deleteFrom('uptime_hours').where('starts_at', '<', firstDayOf(Date.now())).execute()
}

/** Returns the beginning of the first of the days that are kept. Days are those of UTC. */
export function firstDayOf(nowMs: number): number {
  return Math.floor(nowMs / dayMs) * dayMs - (limits.uptimeDays - 1) * dayMs
}

const sums = [
  sql<number>`sum(operational)`.as('operational'),
  sql<number>`sum(degraded)`.as('degraded'),
  sql<number>`sum(down)`.as('down'),
] as const

/** A node that has recorded nothing for so many checks is not running, and its last state says nothing. */
const freshChecks = 3
