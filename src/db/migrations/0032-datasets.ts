import type { Kysely } from 'kysely'

/**
 * Datasets, the versions of their samples, and each version's task. Tasks are apart from the narrow rows that pages are
 * counted and selected from.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('datasets')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('sample_count', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('samples')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('dataset_id', 'text', (c) => c.notNull())
    .addColumn('sample_id', 'text', (c) => c.notNull())
    .addColumn('instance_id', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('is_latest', 'integer', (c) => c.notNull())
    .addColumn('content_hash', 'text', (c) => c.notNull())
    .addColumn('archive_bytes', 'bigint', (c) => c.notNull())
    .addColumn('version_description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('removed_at', 'bigint')
    .addUniqueConstraint('samples_version', ['dataset_id', 'sample_id', 'version'])
    .execute()
  await db.schema
    .createIndex('samples_of_dataset')
    .on('samples')
    .columns(['dataset_id', 'is_latest', 'sample_id', 'instance_id', 'id'])
    .execute()
  await db.schema
    .createIndex('samples_latest')
    .on('samples')
    .columns(['is_latest', 'sample_id', 'dataset_id', 'instance_id', 'id'])
    .execute()
  await db.schema.createIndex('samples_removed').on('samples').column('removed_at').execute()
  await db.schema.createIndex('samples_content').on('samples').column('content_hash').execute()
  await db.schema
    .createTable('sample_tasks')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('task', 'text', (c) => c.notNull())
    .execute()
}
