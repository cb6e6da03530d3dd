import type { Kysely } from 'kysely'

/** Snapshots of computers, and since when a computer has the files that it has. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('snapshots')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('computer_id', 'text', (c) => c.notNull())
    .addColumn('computer_name', 'text')
    .addColumn('files_since', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('image', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('failure_reason', 'text')
    .addColumn('size_bytes', 'bigint')
    .addColumn('added_bytes', 'bigint')
    .addColumn('paused_ms', 'double precision')
    .addColumn('memory_bytes', 'bigint', (c) => c.notNull())
    .addColumn('disk_bytes', 'bigint', (c) => c.notNull())
    .addColumn('size_preset', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('ready_at', 'bigint')
    .addColumn('measured_at', 'bigint', (c) => c.notNull())
    .execute()
  for (const [name, columns] of [
    ['snapshots_account', ['account_id', 'created_at']],
    ['snapshots_computer', ['computer_id', 'created_at']],
    ['snapshots_node', ['node_id', 'computer_id']],
  ] as const)
    await db.schema
      .createIndex(name)
      .on('snapshots')
      .columns([...columns])
      .execute()
  await db.schema.alterTable('computers').addColumn('restored_at', 'bigint').execute()
  await db.schema.createIndex('computers_snapshot').on('computers').column('snapshot_id').execute()
}
