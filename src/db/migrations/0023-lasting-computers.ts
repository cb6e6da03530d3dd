import type { Kysely } from 'kysely'

/** Computers that are created by name and size and last until they are deleted, and operations that survive a restart. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['display_name', 'size_preset', 'snapshot_id'])
    await db.schema.alterTable('computers').addColumn(column, 'text').execute()
  // Defaults are for SQLite, which adds no column without one that is not null; each insert names the values.
  for (const column of ['resource_type', 'resource_id', 'actor'])
    await db.schema
      .alterTable('operations')
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(''))
      .execute()
  for (const column of ['input', 'request_key'])
    await db.schema.alterTable('operations').addColumn(column, 'text').execute()
  await db.schema.alterTable('operations').addColumn('ended_at', 'bigint').execute()
  await db.schema.createIndex('operations_resource').on('operations').columns(['resource_id', 'state']).execute()
  await db.schema.createIndex('operations_ended').on('operations').column('ended_at').execute()
  await db.schema
    .createIndex('operations_request')
    .unique()
    .on('operations')
    .columns(['account_id', 'request_key'])
    .execute()
}
