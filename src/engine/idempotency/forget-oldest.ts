import { sql } from 'kysely'
import type { IdempotencyContext } from './idempotency.ts'

/**
 * Holds an account to its bounds. The oldest answers go first, and then the oldest keys: whoever repeats a request does so soon, and to refuse
 * new ones would stop an account that works a lot. A key without its answer still keeps its request from being done twice. What is under way
 * stays.
 */
export async function forgetOldest(
  { db, responseCache }: Pick<IdempotencyContext, 'db' | 'responseCache'>,
  accountId: string,
): Promise<void> {
  const { keys, bytes } = responseCache.surplus(accountId)
  if (bytes > 0) {
    const oldest = db
      .selectFrom('idempotency')
      .select(['key', sql<number>`sum(bytes) over (order by created_at, key) - bytes`.as('before')])
      .where('account_id', '=', accountId)
      .where('bytes', '>', 0)
    const forgotten = await db
      .updateTable('idempotency')
      .set({
        status: sql<number>`case when process_id is null then ${sql.lit(forgottenAnswer)} else ${sql.lit(ofProcess)} end`,
        body: sql<string>`process_id`,
        bytes: 0,
      })
      .where('account_id', '=', accountId)
      .where('key', 'in', db.selectFrom(oldest.as('oldest')).select('key').where('before', '<', bytes))
      .executeTakeFirst()
    // How much it was, the next look at the database tells exactly.
    if (forgotten.numUpdatedRows > 0n) responseCache.add(accountId, { bytes: -bytes })
  }
  if (keys > 0) {
    const oldest = db
      .selectFrom('idempotency')
      .select('key')
      .where('account_id', '=', accountId)
      .where('status', 'is not', null)
      .orderBy('created_at')
      .limit(keys)
    const { numDeletedRows } = await db
      .deleteFrom('idempotency')
      .where('account_id', '=', accountId)
      .where('key', 'in', oldest)
      .executeTakeFirst()
    responseCache.add(accountId, { keys: -Number(numDeletedRows) })
  }
}

/** Corrects what is known of each account by what there is. */
export async function countAnswers({
  db,
  responseCache,
}: Pick<IdempotencyContext, 'db' | 'responseCache'>): Promise<void> {
  const rows = await db
    .selectFrom('idempotency')
    .select(({ fn }) => ['account_id', fn.countAll().as('keys'), fn.sum('bytes').as('bytes')])
    .groupBy('account_id')
    .execute()
  responseCache.reset(
    rows.map(({ account_id: accountId, keys, bytes }) => ({ accountId, keys: Number(keys), bytes: Number(bytes) })),
  )
}

/** The status of a row whose answer is that of its process, for which no request waits. */
export const ofProcess = 0
/** The status of a row whose answer is kept no longer. */
export const forgottenAnswer = -1
