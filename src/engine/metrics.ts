import type { ComputerState } from '../db/schema.ts'
import { repetitionsOf } from '../db/transaction.ts'
import type { DriverMetrics } from '../drivers/driver.ts'
import type { Context } from './context.ts'

export interface HostMetrics extends DriverMetrics {
  /** The number of computers in each state; states without any are left out. */
  computers: { state: ComputerState; count: number }[]
  /** How often a transaction was repeated since the start because others were in the way. */
  databaseRepetitions: number
}

/** Returns what the database and the driver count of this node, for the operator. */
export async function hostMetrics({ db, node, driver }: Pick<Context, 'db' | 'node' | 'driver'>): Promise<HostMetrics> {
  const states = await db
    .selectFrom('computers')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .where('node_id', '=', node.id)
    .groupBy('state')
    .execute()
  return {
    ...driver.metrics(),
    databaseRepetitions: repetitionsOf(db),
    computers: states.map(({ state, count }) => ({ state, count: Number(count) })),
  }
}
