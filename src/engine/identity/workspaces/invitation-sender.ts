import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'

/** The sender that an invitation is counted for. */
export interface Sender {
  /** null for a token without a user. */
  userId: string | null
  /** True for a user who signed up within a day. */
  isNew: boolean
  /**
   * The network of a sign-up within a day, otherwise of the request: signing up repeatedly does not multiply a
   * network's limit.
   */
  network: string
}

export async function senderOf(
  trx: Transaction<Database>,
  userId: string | null,
  requestNetwork: string,
): Promise<Sender> {
  if (userId === null) return { userId, isNew: false, network: requestNetwork }
  const user = await trx
    .selectFrom('users')
    .leftJoin('first_credits', 'first_credits.account_id', 'users.account_id')
    .select(['users.created_at', 'first_credits.network'])
    .where('users.id', '=', userId)
    .executeTakeFirst()
  const isNew = user !== undefined && user.created_at > Date.now() - limits.mailDayMs
  return { userId, isNew, network: (isNew && user.network) || requestNetwork }
}
