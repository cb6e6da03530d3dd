import type { Kysely } from 'kysely'

/** How the services of each node worked, in sums of an hour. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('uptime_hours')
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('slug', 'text', (c) => c.notNull())
    .addColumn('starts_at', 'bigint', (c) => c.notNull())
    .addColumn('operational', 'integer', (c) => c.notNull())
    .addColumn('degraded', 'integer', (c) => c.notNull())
    .addColumn('down', 'integer', (c) => c.notNull())
    .addColumn('last_status', 'text', (c) => c.notNull())
    .addColumn('last_response_ms', 'integer', (c) => c.notNull())
    .addColumn('checked_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('uptime_hours_key', ['node_id', 'slug', 'starts_at'])
    .execute()
  await db.schema.createIndex('uptime_hours_by_time').on('uptime_hours').column('starts_at').execute()
}
