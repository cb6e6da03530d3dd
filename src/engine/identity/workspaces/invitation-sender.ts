import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'

/** Who an invitation is counted for. */
export interface Sender {
  /** null for a token that belongs to no person. */
  userId: string | null
  /** They signed up within a day. */
  isNew: boolean
  /** Where they signed up within a day, else where they send from: who signs up again and again is not many. */
  network: string
}

export async function senderOf(
  trx: Transaction<Database>,
  userId: string | null,
  requestNetwork: string,
): Promise<Sender> {
  if (userId === null) return { userId, isNew: false, network: requestNetwork }
  const person = await trx
    .selectFrom('users')
    .leftJoin('first_credits', 'first_credits.account_id', 'users.account_id')
    .select(['users.created_at', 'first_credits.network'])
    .where('users.id', '=', userId)
    .executeTakeFirst()
  const isNew = person !== undefined && person.created_at > Date.now() - limits.mailDayMs
  return { userId, isNew, network: (isNew && person.network) || requestNetwork }
}
