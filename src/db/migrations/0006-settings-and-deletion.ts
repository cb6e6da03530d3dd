import { sql, type Kysely } from 'kysely'

/** Users' settings, and an index of users whose deletion is scheduled. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('person_settings')
    .addColumn('owner_id', 'text', (c) => c.primaryKey())
    .addColumn('locale', 'text', (c) => c.notNull())
    .addColumn('timezone', 'text', (c) => c.notNull())
    .addColumn('theme', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('users_delete_at')
    .on('users')
    .column('delete_at')
    .where(sql.ref('delete_at'), 'is not', null)
    .execute()
}
