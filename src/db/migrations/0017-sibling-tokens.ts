import type { Kysely } from 'kysely'

/**
 * The refresh token for which the last used one was issued, and when: tokens that were issued for the same one at the same
 * time are equally valid.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('replaced_hash', 'text').execute()
  await db.schema.alterTable('tokens').addColumn('given_at', 'bigint').execute()
}
