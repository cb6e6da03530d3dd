import { transaction } from '../../../db/transaction.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { closeUsage } from '../../money/usage/metered.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { announceState } from './transition.ts'
import { atHome, notAtHome, type Home } from './at-home.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Deletes a computer, whatever its state, and its row. The caller holds the computer's lock. Throws `other_node`, before
 * anything is done, for a computer of another node.
 */
export async function destroyComputer(
  engine: ComputersContext,
  id: string,
  actor: string,
  reason?: string,
): Promise<void> {
  const row = await engine.db
    .selectFrom('computers')
    .select(['id', 'account_id', 'state', 'node_id', 'fence'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return
  await markDeleting(engine, row)
  engine.exposedPorts.forget(id)
  announceState(engine, id, 'deleting', reason)
  engine.meter.stopping(id)
  await engine.driver.destroy(id)
  await closeUsage(engine, id)
  await transaction(engine.db, 'operational', async (trx) => {
    for (const table of ['ports', 'access_sessions', 'shares', 'ssh_ports', 'ssh_certificates'] as const)
      await trx.deleteFrom(table).where('computer_id', '=', id).execute()
    const { numDeletedRows } = await trx.deleteFrom('computers').where(atHome(engine.node, row)).executeTakeFirst()
    if (numDeletedRows === 0n) throw await notAtHome(trx, engine.node, { home: row, row, doing })
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
  engine.ssh.connections.endOf(id, 'the computer was deleted')
  void engine.ssh.onPort(id, undefined)
}

async function markDeleting(engine: Pick<ComputersContext, 'db' | 'node'>, row: Home & Pick<ComputerRow, 'node_id'>) {
  const { numUpdatedRows } = await engine.db
    .updateTable('computers')
    .set({ state: 'deleting', updated_at: Date.now() })
    .where(atHome(engine.node, row))
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw await notAtHome(engine.db, engine.node, { home: row, row, doing })
}

const doing = 'Cannot delete the computer'
