import type { Expression, ExpressionBuilder, Kysely, SqlBool, Transaction } from 'kysely'
import type { ComputerRow, Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { assertHoldsNode, holdsNode, nodeTakenOver } from '../../nodes/holds-node.ts'
import { otherNode } from '../../nodes/other-node.ts'
import type { ThisNode } from '../../nodes/this-node.ts'

/** A computer's home as it was when its row was read. */
export type Home = Pick<ComputerRow, 'id' | 'fence'>

/**
 * Returns the condition of every write to the row of a computer: the computer is at home on this server's node and has
 * not been elsewhere since its row was read, and no other server has claimed the node.
 */
export function atHome(
  node: ThisNode,
  { id, fence }: Home,
): (eb: ExpressionBuilder<Database, 'computers'>) => Expression<SqlBool> {
  return (eb) =>
    eb.and([
      eb('computers.id', '=', id),
      eb('computers.node_id', '=', node.id),
      eb('computers.fence', '=', fence),
      holdsNode(node),
    ])
}

/** Returns the error for a write that `atHome` refused, with the row as it is now. */
export async function notAtHome(
  db: Kysely<Database>,
  node: ThisNode,
  { home, row, doing }: { home: Home; row: Pick<ComputerRow, 'node_id' | 'fence'>; doing: string },
): Promise<CarrelError> {
  if (row.node_id !== node.id) return otherNode(db, doing, row.node_id)
  if (row.fence !== home.fence) return new CarrelError('conflict', `${doing}: it has been moved meanwhile`)
  return nodeTakenOver(doing)
}

/** Throws, in a transaction that writes what belongs to a computer, where `atHome` would refuse to write its row. */
export async function assertAtHome(
  trx: Transaction<Database>,
  node: ThisNode,
  home: Home,
  doing: string,
): Promise<void> {
  const row = await trx
    .selectFrom('computers')
    .select(['node_id', 'fence'])
    .where('id', '=', home.id)
    .executeTakeFirst()
  if (!row) throw new CarrelError('not_found', `${doing}: the computer does not exist any more`)
  if (row.node_id !== node.id || row.fence !== home.fence) throw await notAtHome(trx, node, { home, row, doing })
  await assertHoldsNode(trx, node)
}
