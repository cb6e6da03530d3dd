import type { Kysely } from 'kysely'

/** Where an invitation comes from, for a day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('invitations')
    .addColumn('network', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await db.schema.createIndex('invitations_network').on('invitations').columns(['network', 'created_at']).execute()
}
