import type { Kysely } from 'kysely'

/**
 * Which refresh token the one that was used last was given for, and when: what was given for the same one at the same
 * time is as good.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('replaced_hash', 'text').execute()
  await db.schema.alterTable('tokens').addColumn('given_at', 'bigint').execute()
}
