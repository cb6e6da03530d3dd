import type { Kysely } from 'kysely'

/** Short-lived access to one computer by a token of its own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('access_sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('computer_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('token_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('run_started_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .execute()
  for (const [name, column] of [
    ['access_sessions_computer', 'computer_id'],
    ['access_sessions_account', 'account_id'],
    ['access_sessions_user', 'user_id'],
    ['access_sessions_expiry', 'expires_at'],
  ] as const)
    await db.schema.createIndex(name).on('access_sessions').column(column).execute()
}
