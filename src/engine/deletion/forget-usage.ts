import { setImmediate as turn } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import { limits } from '../../config/limits.ts'
import { readInWorker } from '../../db/read-in-worker.ts'
import { durableTransaction } from '../../db/durable-transaction.ts'
import type { Database } from '../../db/schema.ts'
import type { Context } from '../context.ts'

/**
 * Of what those who leave used, what they were charged for stays with the books, without what computers were called and who used them; all else goes. In steps,
 * as there may be a million rows; what is interrupted is taken up by the next call. Gives how many rows there were to change.
 */
export async function forgetUsage({ db }: Pick<Context, 'db'>, accountIds: readonly string[]): Promise<number> {
  let count = 0
  for (const accountId of accountIds) {
    for (const table of ['usage_days', 'spent'] as const) count += await inSteps(() => deleteSums(db, table, accountId))
    count += await forgetIntervals(db, accountId)
  }
  return count
}

/** Others come between the steps. */
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
  const { numAffectedRows } = await durableTransaction(db, (trx) =>
    sql`delete from ${sql.table(table)} where account_id = ${accountId} and (${sql.raw(key)}) in (
      select ${sql.raw(key)} from ${sql.table(table)} where account_id = ${accountId} limit ${limits.deletedRowsAtOnce})`.execute(
      trx,
    ),
  )
  return Number(numAffectedRows ?? 0)
}

/** Which rows it concerns is read beside the main thread: of a million none may. */
async function forgetIntervals(db: Kysely<Database>, accountId: string): Promise<number> {
  let count = 0
  let place = { ended_at: -1, id: '' }
  for (;;) {
    const [rows] = await readInWorker(db, accountId, [
      db
        .selectFrom('usage_intervals')
        .select(['id', 'ended_at', 'amount_micros'])
        .where('account_id', '=', accountId)
        .where((eb) =>
          eb.or([eb('amount_micros', '=', 0), eb('label', 'is not', null), eb('token_id', 'is not', null)]),
        )
        .where(sql<boolean>`(ended_at, id) > (${place.ended_at}, ${place.id})`)
        .orderBy('ended_at')
        .orderBy('id')
        .limit(limits.deletedRowsAtOnce),
    ])
    const last = rows.at(-1)
    if (!last) return count
    place = last
    const free = rows.flatMap(({ id, amount_micros }) => (Number(amount_micros) === 0 ? id : []))
    const charged = rows.flatMap(({ id, amount_micros }) => (Number(amount_micros) === 0 ? [] : id))
    await durableTransaction(db, async (trx) => {
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
