import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { ThisNode } from '../engine/nodes/this-node.ts'

/**
 * Returns warnings about the address that other servers give to clients whose computer is on this one: that it is
 * missing, or that another node has it too, which sends clients to the wrong server. None for the only node.
 */
export async function addressWarnings(db: Kysely<Database>, { id }: Pick<ThisNode, 'id'>): Promise<string[]> {
  const nodes = await db.selectFrom('nodes').select(['id', 'address']).orderBy('created_at').orderBy('id').execute()
  const address = nodes.find((node) => node.id === id)?.address
  if (nodes.length < 2 || address === undefined) return []
  const todo = 'set CARREL_NODE_ADDRESS to the origin at which this one server is reached'
  if (address === '') return [`this server has no address for clients of other servers; ${todo}`]
  const other = nodes.find((node) => node.id !== id && node.address === address)
  if (!other) return []
  return [
    `node ${other.id} has the same address as this one, ${address}, so that clients cannot find their computers; ${todo}, or remove the other node if it is gone for good`,
  ]
}
