import type { Kysely } from 'kysely'

/** The network that an invitation comes from, kept for a day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('invitations')
    .addColumn('network', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await db.schema.createIndex('invitations_network').on('invitations').columns(['network', 'created_at']).execute()
}
