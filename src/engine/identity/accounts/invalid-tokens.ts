import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'

/** Returns those of the tokens that are not valid any more: revoked, expired or deleted. */
export async function invalidTokens(db: Kysely<Database>, tokenIds: Iterable<string>): Promise<Set<string>> {
  const left = new Set(tokenIds)
  for (const some of chunks([...left])) {
    const valid = await db
      .selectFrom('tokens')
      .select('id')
      .where('id', 'in', some)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', Date.now())]))
      .execute()
    for (const { id } of valid) left.delete(id)
  }
  return left
}
