import { sql, type Transaction } from 'kysely'
import type { Database, IdempotencyState } from '../../db/schema.ts'

/**
 * Ends what a removed node had under way. A request that was cut off is new when it is repeated, as after a restart; one
 * whose process would have given the answer is not carried out again.
 */
export async function forgetWork(trx: Transaction<Database>, nodeId: string): Promise<void> {
  const keys = { node_id: nodeId }
  await trx
    .deleteFrom('idempotency')
    .where((eb) => eb.and({ ...keys, state: 'in_progress' }))
    .execute()
  await trx
    .updateTable('idempotency')
    .set({ state: sql<IdempotencyState>`case state when 'process' then 'dropped' else state end`, process_id: null })
    .where((eb) => eb.and(keys))
    .execute()
  const error = JSON.stringify({ code: 'unavailable', message: 'The server that did this is gone' })
  await trx
    .updateTable('operations')
    .set({ state: 'failed', error, updated_at: Date.now() })
    .where((eb) => eb.and({ ...keys, state: 'running' }))
    .execute()
}
