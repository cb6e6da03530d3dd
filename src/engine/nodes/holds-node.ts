import { expressionBuilder, type Expression, type Kysely, type SqlBool } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'
import type { ThisNode } from './this-node.ts'

/** Returns the condition that no other server has claimed this server's node: for what only the node's server may do. */
export function holdsNode({ id, epoch }: ThisNode): Expression<SqlBool> {
  const eb = expressionBuilder<Database>()
  return eb.exists(
    eb.selectFrom('nodes').select('nodes.id').where('nodes.id', '=', id).where('nodes.epoch', '=', epoch),
  )
}

/** Throws `unavailable`, which undoes the transaction, when another server has claimed this server's node. */
export async function assertHoldsNode(trx: Kysely<Database>, { id, epoch }: ThisNode): Promise<void> {
  const row = await trx.selectFrom('nodes').select('epoch').where('id', '=', id).executeTakeFirst()
  if (row?.epoch !== epoch) throw nodeTakenOver('Cannot record this')
}

export function nodeTakenOver(doing: string): CarrelError {
  return new CarrelError('unavailable', `${doing}: another server has taken over this server's data directory`)
}
