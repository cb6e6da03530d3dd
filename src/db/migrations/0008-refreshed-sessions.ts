import type { Kysely } from 'kysely'

/** The session that a session was refreshed from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('refreshed_from', 'text').execute()
  await db.schema
    .createIndex('tokens_refreshed_from')
    .on('tokens')
    .column('refreshed_from')
    .where('refreshed_from', 'is not', null)
    .execute()
}
