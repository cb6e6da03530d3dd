import { setImmediate as turn } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import { limits } from '../../config/limits.ts'
import { readMany } from '../../db/read-many.ts'
import { transaction } from '../../db/transaction.ts'
import type { Database } from '../../db/schema.ts'
import type { Context } from '../context.ts'

/**
 * Deletes what the accounts used. Charged intervals stay with the ledger, without the names of computers and of those
 * who used them. Works in steps, since there can be a million rows; the next call continues an interrupted one. Returns
 * the number of rows that were deleted or changed.
 */
export async function forgetUsage({ db }: Pick<Context, 'db'>, accountIds: readonly string[]): Promise<number> {
  let count = 0
  for (const accountId of accountIds) {
    for (const table of ['usage_days', 'spent'] as const) count += await inSteps(() => deleteSums(db, table, accountId))
    count += await forgetIntervals(db, accountId)
  }
  return count
}

/** Lets other work run between the steps. */
async function inSteps(step: () => Promise<number>): Promise<number> {
  let count = 0
  for (let done = await step(); done > 0; done = await step()) {
    count += done
    await turn()
  }
  return count
}

async function deleteSums(db: Kysely<Database>, table: 'usage_days' | 'spent', accountId: string): Promise<number> {
  const key = table === 'spent' ? 'token_id, period, since' : 'dimension, day, part, value, meter'
  const { numAffectedRows } = await transaction(db, 'durable', (trx) =>
    sql`delete from ${sql.table(table)} where account_id = ${accountId} and (${sql.raw(key)}) in (
      select ${sql.raw(key)} from ${sql.table(table)} where account_id = ${accountId} limit ${limits.deletedRowsAtOnce})`.execute(
      trx,
    ),
  )
  return Number(numAffectedRows ?? 0)
}

/** Finds the rows on another thread: among a million rows there may be none. */
async function forgetIntervals(db: Kysely<Database>, accountId: string): Promise<number> {
  let count = 0
  let after: { ended_at: number; id: string } | undefined
  for (;;) {
    let query = db
      .selectFrom('usage_intervals')
      .select(['id', 'ended_at', 'amount_micros'])
      .where('account_id', '=', accountId)
      .where((eb) => eb.or([eb('amount_micros', '=', 0), eb('label', 'is not', null), eb('token_id', 'is not', null)]))
      .orderBy('ended_at')
      .orderBy('id')
      .limit(limits.deletedRowsAtOnce)
    if (after) query = query.where(sql<boolean>`(ended_at, id) > (${after.ended_at}, ${after.id})`)
    const [rows] = await readMany(db, accountId, [query])
    after = rows.at(-1)
    if (!after) return count
    const free = rows.flatMap(({ id, amount_micros }) => (Number(amount_micros) === 0 ? id : []))
    const charged = rows.flatMap(({ id, amount_micros }) => (Number(amount_micros) === 0 ? [] : id))
    await transaction(db, 'durable', async (trx) => {
      if (free.length > 0) await trx.deleteFrom('usage_intervals').where('id', 'in', free).execute()
      if (charged.length > 0)
        await trx
          .updateTable('usage_intervals')
          .set({ label: null, token_id: null })
          .where('id', 'in', charged)
          .execute()
    })
    count += rows.length
    await turn()
  }
}
