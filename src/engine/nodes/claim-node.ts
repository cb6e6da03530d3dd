import type { Kysely } from 'kysely'
import { limits } from '../../config/limits.ts'
import { databaseTimeMs } from '../../db/database-time.ts'
import { transaction } from '../../db/transaction.ts'
import type { Database, NodeRow } from '../../db/schema.ts'
import type { ThisNode } from './this-node.ts'

/** What others learn of a node: where it is reached, and what its host has. */
export type NodeFacts = Pick<NodeRow, 'address' | 'cpus' | 'memory_bytes' | 'disk_bytes'>

/**
 * Claims a node for this server, and adds the node where the database does not have it. From then on an earlier server
 * of the node changes nothing any more, and ends when it renews its lease. The newest claim wins, as a server that was
 * killed cannot give its claim up.
 */
export function claimNode(db: Kysely<Database>, id: string, facts: NodeFacts): Promise<ThisNode> {
  return transaction(db, 'durable', async (trx) => {
    const now = await databaseTimeMs(trx)
    const { epoch } = await trx
      .insertInto('nodes')
      .values({ id, epoch: 1, lease_until: now + limits.nodeLeaseMs, created_at: Date.now(), ...facts })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          epoch: eb('nodes.epoch', '+', 1),
          lease_until: eb.ref('excluded.lease_until'),
          ...facts,
        })),
      )
      .returning('epoch')
      .executeTakeFirstOrThrow()
    return { id, epoch: Number(epoch) }
  })
}
