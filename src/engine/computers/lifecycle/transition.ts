import type { Updateable } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { ComputersContext } from '../computers.ts'

interface Change {
  from: readonly ComputerState[]
  to: ComputerState
  actor: string
  reason?: string
  set?: Updateable<ComputerRow>
}

/**
 * Moves a computer from one state to another, and records that in the audit log. Throws a `conflict` that names the
 * current state when that is none of `from`.
 */
export async function transition(
  engine: Pick<ComputersContext, 'db' | 'liveEvents' | 'exposedPorts' | 'portWatch'>,
  id: string,
  change: Change,
): Promise<void> {
  await transaction(engine.db, 'operational', async (trx) => {
    const row = await trx
      .selectFrom('computers')
      .select(['state', 'account_id'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw new CarrelError('not_found', `Cannot find computer "${id}": it does not exist`)
    const updated = await trx
      .updateTable('computers')
      .set({ ...change.set, state: change.to, state_reason: change.reason ?? null, updated_at: Date.now() })
      .where('id', '=', id)
      .where('state', 'in', change.from)
      .executeTakeFirst()
    if (updated.numUpdatedRows === 0n) {
      throw new CarrelError('conflict', `Cannot move computer "${id}" to ${change.to}: it is ${row.state}`, {
        details: { state: row.state },
      })
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
