import type { Updateable } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { ComputersContext } from '../computers.ts'
import { atHome, notAtHome, type Home } from './at-home.ts'

interface Change {
  from: readonly ComputerState[]
  to: ComputerState
  actor: string
  reason?: string
  set?: Updateable<ComputerRow>
}

/**
 * Moves a computer from one state to another, and records that in the audit log. Throws a `conflict` that names the
 * current state when that is none of `from`, `other_node` when the computer is not at home here any more, and
 * `unavailable` when another server has claimed the node.
 */
export async function transition(
  engine: Pick<ComputersContext, 'db' | 'node' | 'liveEvents' | 'exposedPorts' | 'portWatch'>,
  home: Home,
  change: Change,
): Promise<void> {
  const { id } = home
  await transaction(engine.db, 'operational', async (trx) => {
    const row = await trx
      .selectFrom('computers')
      .select(['state', 'account_id', 'node_id', 'fence'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw new CarrelError('not_found', `Cannot find computer "${id}": it does not exist`)
    const updated = await trx
      .updateTable('computers')
      .set({ ...change.set, state: change.to, state_reason: change.reason ?? null, updated_at: Date.now() })
      .where(atHome(engine.node, home))
      .where('state', 'in', change.from)
      .executeTakeFirst()
    if (updated.numUpdatedRows === 0n) {
      const doing = `Cannot move computer "${id}" to ${change.to}`
      if (change.from.includes(row.state)) throw await notAtHome(trx, engine.node, { home, row, doing })
      throw new CarrelError('conflict', `${doing}: it is ${row.state}`, { details: { state: row.state } })
    }
    await appendEvent(trx, {
      accountId: row.account_id,
      computerId: id,
      type: `computer.${change.to}`,
      actor: change.actor,
      data: { from: row.state, to: change.to, ...(change.reason ? { reason: change.reason } : {}) },
    })
  })
  engine.exposedPorts.forget(id)
  announceState(engine, id, change.to, change.reason)
}

/** Announces a computer's state as a live event. The open ports of a computer that does not run are forgotten. */
export function announceState(
  engine: Pick<ComputersContext, 'liveEvents' | 'portWatch'>,
  computerId: string,
  state: ComputerState,
  reason?: string,
): void {
  if (state !== 'running') engine.portWatch.forget(computerId)
  engine.liveEvents.emit({ type: 'computer.state', computerId, state, reason })
}
