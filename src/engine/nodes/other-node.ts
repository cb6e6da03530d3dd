import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { CarrelError } from '../../errors.ts'

/**
 * Returns the error for something that is at home on another node. Its details name the node and the address: for
 * callers that may use the thing.
 */
export async function otherNode(db: Kysely<Database>, doing: string, nodeId: string): Promise<CarrelError> {
  const row = await db.selectFrom('nodes').select('address').where('id', '=', nodeId).executeTakeFirst()
  const address = row?.address || undefined
  return new CarrelError('other_node', `${doing}: it is on another server${address ? `, ${address}` : ''}`, {
    details: { nodeId, ...(address ? { address } : {}) },
  })
}
