import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'

/** Which of these tokens open nothing any more: they were revoked, have expired, or are gone. */
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
