import { until } from './server.ts'
import { withDatabase } from './with-database.ts'

/** Ends the 30-day grace period of an account at once, and waits until nothing of the account is left. */
export async function deleteAccountNow(accountId: string): Promise<void> {
  await withDatabase((db) =>
    db.updateTable('accounts').set({ delete_at: Date.now() }).where('id', '=', accountId).execute(),
  )
  await until(
    () => withDatabase((db) => db.selectFrom('accounts').select('id').where('id', '=', accountId).execute()),
    (rows) => rows.length === 0,
    60_000,
  )
}
