import { sql, type Kysely } from 'kysely'

/** Secrets that the servers of a database share, encrypted; and which account is the owner's, of which there is one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('secrets')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('nonce', 'text', (column) => column.notNull())
    .addColumn('ciphertext', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await markOwner(db)
}

/** The owner's account was the oldest one, which depends on the clocks of the servers. */
async function markOwner(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('owner', 'integer').execute()
  await sql`update accounts set owner = 1
    where id = (select id from accounts order by created_at, id limit 1)`.execute(db)
  await db.schema.createIndex('accounts_owner').unique().on('accounts').column('owner').execute()
}
