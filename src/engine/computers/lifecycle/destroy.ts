import { transaction } from '../../../db/transaction.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { announceState } from './transition.ts'
import type { ComputersContext } from '../computers.ts'

/** Deletes a computer, whatever its state, and its row. The caller holds the computer's lock. */
export async function destroyComputer(
  engine: ComputersContext,
  id: string,
  actor: string,
  reason?: string,
): Promise<void> {
  const row = await engine.db
    .selectFrom('computers')
    .select(['account_id', 'state'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return
  await engine.db
    .updateTable('computers')
    .set({ state: 'deleting', updated_at: Date.now() })
    .where('id', '=', id)
    .execute()
  engine.exposedPorts.forget(id)
  announceState(engine, id, 'deleting', reason)
  engine.meter.stopping(id)
  await engine.driver.destroy(id)
  await closeUsage(engine, id)
  await transaction(engine.db, 'operational', async (trx) => {
    await trx.deleteFrom('ports').where('computer_id', '=', id).execute()
    await trx.deleteFrom('computers').where('id', '=', id).execute()
    await appendEvent(trx, {
      accountId: row.account_id,
      computerId: id,
      type: 'computer.deleted',
      actor,
      data: { from: row.state, ...(reason ? { reason } : {}) },
    })
  })
  engine.exposedPorts.forget(id)
  engine.activity.forget(id)
}
