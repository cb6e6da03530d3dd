import type { Kysely } from 'kysely'

/** Shared workspaces, and invitations into them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('created_by', 'text').execute()
  await db.schema.createIndex('accounts_created_by').on('accounts').column('created_by').execute()
  await db.schema
    .createTable('invitations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('hash', 'text', (c) => c.notNull().unique())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('email', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('invited_by', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .execute()
  await db.schema.createIndex('invitations_account').on('invitations').column('account_id').execute()
  await db.schema.createIndex('invitations_email').on('invitations').columns(['email', 'created_at']).execute()
}
