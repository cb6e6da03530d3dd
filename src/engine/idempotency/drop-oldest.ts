import { sql } from 'kysely'
import type { IdempotencyState } from '../../db/schema.ts'
import type { IdempotencyContext } from './idempotency.ts'

/**
 * Keeps an account within its limits by dropping the oldest responses, and then the oldest keys: a request is repeated
 * soon or never, and refusing new ones would stop an account that works a lot. A key without its response still keeps
 * its request from being carried out twice. Requests in progress are not dropped, also those that were begun while this
 * looks for the oldest: PostgreSQL checks the conditions of the rows themselves again, and not those of a subquery.
 */
export async function dropOldest(
  { db, responseSizes }: Pick<IdempotencyContext, 'db' | 'responseSizes'>,
  accountId: string,
): Promise<void> {
  const { keys, bytes } = responseSizes.surplus(accountId)
  if (bytes > 0) {
    const oldest = db
      .selectFrom('idempotency')
      .select(['key', sql<number>`sum(bytes) over (order by created_at, key) - bytes`.as('before')])
      .where('account_id', '=', accountId)
      .where('bytes', '>', 0)
    const dropped = await db
      .updateTable('idempotency')
      .set({
        state: sql<IdempotencyState>`case when process_id is null then 'dropped' else 'process' end`,
        status: null,
        body: null,
        bytes: 0,
      })
      .where('account_id', '=', accountId)
      .where('key', 'in', db.selectFrom(oldest.as('oldest')).select('key').where('before', '<', bytes))
      .where('state', '!=', 'in_progress')
      .executeTakeFirst()
    // An estimate: the next count in the database gives the exact number.
    if (dropped.numUpdatedRows > 0n) responseSizes.add(accountId, { bytes: -bytes })
  }
  if (keys > 0) {
    const oldest = db
      .selectFrom('idempotency')
      .select('key')
      .where('account_id', '=', accountId)
      .where('state', '!=', 'in_progress')
      .orderBy('created_at')
      .limit(keys)
    const { numDeletedRows } = await db
      .deleteFrom('idempotency')
      .where('account_id', '=', accountId)
      .where('key', 'in', oldest)
      .where('state', '!=', 'in_progress')
      .executeTakeFirst()
    responseSizes.add(accountId, { keys: -Number(numDeletedRows) })
  }
}

/** Corrects the sizes in memory by a count in the database. */
export async function recountResponses({
  db,
  responseSizes,
}: Pick<IdempotencyContext, 'db' | 'responseSizes'>): Promise<void> {
  const rows = await db
    .selectFrom('idempotency')
    .select(({ fn }) => ['account_id', fn.countAll().as('keys'), fn.sum('bytes').as('bytes')])
    .groupBy('account_id')
    .execute()
  responseSizes.reset(
    rows.map(({ account_id: accountId, keys, bytes }) => ({ accountId, keys: Number(keys), bytes: Number(bytes) })),
  )
}
