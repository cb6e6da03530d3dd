import type { Kysely } from 'kysely'

/** Sessions, in which agents work on a sample, and their interactions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createSessions(db)
  await createInteractions(db)
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text')
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('dataset', 'text', (c) => c.notNull())
    .addColumn('sample_id', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('sample_version_id', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('ttl_ms', 'bigint', (c) => c.notNull())
    .addColumn('programs', 'text', (c) => c.notNull())
    .addColumn('interaction_count', 'integer', (c) => c.notNull())
    .addColumn('kept_bytes', 'bigint', (c) => c.notNull())
    .addColumn('requested_at', 'bigint', (c) => c.notNull())
    .addColumn('ready_at', 'bigint')
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .execute()
  await addIndexes(db, 'sessions', {
    sessions_account: ['account_id', 'requested_at', 'id'],
    sessions_account_status: ['account_id', 'status'],
    sessions_node: ['node_id', 'status'],
    sessions_sample: ['sample_version_id'],
    sessions_user: ['user_id'],
    sessions_ended: ['ended_at'],
  })
}

async function createInteractions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('interactions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('shell', 'text')
    .addColumn('command', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('exit_code', 'integer')
    .addColumn('success', 'integer')
    .addColumn('message', 'text')
    .addColumn('stdout', 'blob')
    .addColumn('stderr', 'blob')
    .addColumn('truncated', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('duration_ms', 'bigint')
    .execute()
  await addIndexes(db, 'interactions', {
    interactions_session: ['session_id', 'created_at', 'id'],
    interactions_node: ['node_id', 'status'],
    interactions_account: ['account_id'],
  })
}

async function addIndexes(db: Kysely<unknown>, table: string, indexes: Record<string, string[]>): Promise<void> {
  for (const [name, columns] of Object.entries(indexes))
    await db.schema.createIndex(name).on(table).columns(columns).execute()
}
