import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** Revokes the shares of a user who leaves the workspace, so that they do not work again if the user returns. */
export async function endSharesBy(trx: Transaction<Database>, accountId: string, userId: string): Promise<void> {
  await trx
    .updateTable('shares')
    .set({ revoked_at: Date.now() })
    .where('account_id', '=', accountId)
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .execute()
}
