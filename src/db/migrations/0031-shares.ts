import { sql, type Kysely } from 'kysely'

/** Links that open one computer for whoever has them, and access sessions that begin with a link instead of a token. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('shares')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('computer_id', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull().unique())
    .addColumn('sealed_token', 'text', (c) => c.notNull())
    .addColumn('allow_browser', 'integer', (c) => c.notNull())
    .addColumn('allow_vnc', 'integer', (c) => c.notNull())
    .addColumn('token_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text')
    .addColumn('uses', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute()
  for (const column of ['account_id', 'user_id', 'computer_id', 'expires_at', 'revoked_at'])
    await db.schema.createIndex(`shares_${column}`).on('shares').column(column).execute()
  await makeTokenNullable(db)
}

/** Gives `access_sessions` the column `share_id`, which is null unless `token_id` is. */
async function makeTokenNullable(db: Kysely<unknown>): Promise<void> {
  const sessions = () => db.schema.alterTable('access_sessions')
  await sessions().renameColumn('token_id', 'old_token_id').execute()
  await sessions().addColumn('token_id', 'text').execute()
  await sql`update access_sessions set token_id = old_token_id`.execute(db)
  await sessions().dropColumn('old_token_id').execute()
  await sessions().addColumn('share_id', 'text').execute()
  await db.schema.createIndex('access_sessions_share').on('access_sessions').column('share_id').execute()
}
