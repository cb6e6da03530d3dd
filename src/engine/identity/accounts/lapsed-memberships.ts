import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'

/** A user in a workspace. */
interface Membership {
  accountId: string
  userId: string
}

/** Returns those of the memberships that do not exist, or not any more. */
export async function lapsedMemberships<M extends Membership>(db: Kysely<Database>, memberships: M[]): Promise<M[]> {
  const found = new Set<string>()
  for (const some of chunks([...new Set(memberships.map(({ userId }) => userId))])) {
    const rows = await db
      .selectFrom('memberships')
      .select(['account_id', 'user_id'])
      .where('user_id', 'in', some)
      .execute()
    for (const { account_id, user_id } of rows) found.add(`${account_id} ${user_id}`)
  }
  return memberships.filter(({ accountId, userId }) => !found.has(`${accountId} ${userId}`))
}
