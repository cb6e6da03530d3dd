import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Returns the name of the token of the first account that is in the data directory of a node. */
export function ownerTokenName(nodeId: string): string {
  return `owner ${nodeId}`
}

/** Revokes the tokens of the first account that were made for a node. */
export async function revokeOwnerTokens(db: Kysely<Database>, nodeId: string): Promise<void> {
  const owner = await db.selectFrom('accounts').select('id').where('owner', '=', 1).executeTakeFirst()
  if (!owner) return
  await db
    .updateTable('tokens')
    .set({ revoked_at: Date.now() })
    .where('account_id', '=', owner.id)
    .where('kind', '=', 'session')
    .where('revoked_at', 'is', null)
    .where('user_id', 'is', null)
    .where('name', '=', ownerTokenName(nodeId))
    .execute()
}
