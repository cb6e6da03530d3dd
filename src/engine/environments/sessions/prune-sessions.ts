import { sql } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { chunks } from '../../../db/chunks.ts'
import { readMany } from '../../../db/read-many.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Context } from '../../context.ts'

/**
 * Deletes sessions that ended long ago, with their interactions, and the oldest ended ones of an account that has too many
 * or whose interactions keep too much.
 */
export async function pruneSessions({ db }: Pick<Context, 'db'>): Promise<void> {
  const old = await db
    .selectFrom('sessions')
    .select('id')
    .where('ended_at', '<', Date.now() - limits.endedSessionMs)
    .execute()
  await deleteSessions(
    { db },
    old.map(({ id }) => id),
  )
  // A worker thread adds up, which covers the sessions of all accounts.
  const [accounts] = await readMany(db, 'server', [
    db
      .selectFrom('sessions')
      .select(({ fn }) => ['account_id', fn.countAll<number>().as('count'), sumOfKept.as('bytes')])
      .where('ended_at', 'is not', null)
      .groupBy('account_id'),
  ])
  for (const { account_id: accountId, count, bytes } of accounts) {
    const surplus = {
      count: Number(count) - limits.endedSessionsPerAccount,
      bytes: Number(bytes) - limits.sessionKeptPerAccountBytes,
    }
    if (surplus.count > 0 || surplus.bytes > 0) await pruneOldest({ db }, accountId, surplus)
  }
}

const sumOfKept = sql<number>`sum(kept_bytes)`

async function pruneOldest(
  { db }: Pick<Context, 'db'>,
  accountId: string,
  surplus: { count: number; bytes: number },
): Promise<void> {
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'kept_bytes'])
    .where('account_id', '=', accountId)
    .where('ended_at', 'is not', null)
    .orderBy('requested_at')
    .orderBy('id')
    .limit(limits.endedSessionsPerAccount)
    .execute()
  const ids: string[] = []
  let bytes = 0
  for (const row of rows) {
    if (ids.length >= surplus.count && bytes >= surplus.bytes) break
    ids.push(row.id)
    bytes += Number(row.kept_bytes)
  }
  await deleteSessions({ db }, ids)
}

async function deleteSessions({ db }: Pick<Context, 'db'>, ids: string[]): Promise<void> {
  for (const some of chunks(ids))
    await transaction(db, 'operational', async (trx) => {
      await trx.deleteFrom('interactions').where('session_id', 'in', some).execute()
      await trx.deleteFrom('sessions').where('id', 'in', some).execute()
    })
}
