import type { Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import type { Database } from '../../db/schema.ts'
import type { ThisNode } from './this-node.ts'

/**
 * Takes a duty, or keeps it, for the time of a node's lease. Returns false while another node has it. A node that was
 * suspended can believe that it still has the duty: what it does then has to be right even if two do it.
 *
 * @param now by the clock of the database
 */
export async function takeDuty(
  trx: Transaction<Database>,
  name: string,
  { id }: ThisNode,
  now: number,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('duties')
    .values({ name, node_id: id, lease_until: now + limits.nodeLeaseMs })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((eb) => ({ node_id: eb.ref('excluded.node_id'), lease_until: eb.ref('excluded.lease_until') }))
        .where((eb) => eb.or([eb('duties.node_id', '=', id), eb('duties.lease_until', '<=', now)])),
    )
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Lets another node take a duty at once. */
export async function giveUpDuty(
  trx: Transaction<Database>,
  name: string,
  { id }: ThisNode,
  now: number,
): Promise<void> {
  await trx.updateTable('duties').set({ lease_until: now }).where('name', '=', name).where('node_id', '=', id).execute()
}
