import { until } from './server.ts'
import { withDatabase } from './with-database.ts'

/** As if the 30 days of an account's grace were over; until nothing is left of it. */
export async function letAccountGo(accountId: string): Promise<void> {
  await withDatabase((db) =>
    db.updateTable('accounts').set({ delete_at: Date.now() }).where('id', '=', accountId).execute(),
  )
  await until(
    () => withDatabase((db) => db.selectFrom('accounts').select('id').where('id', '=', accountId).execute()),
    (rows) => rows.length === 0,
    60_000,
  )
}
