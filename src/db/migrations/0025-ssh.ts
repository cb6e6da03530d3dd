import type { Kysely } from 'kysely'

/** SSH keys of accounts, certificates that are valid, and the TCP ports of computers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ssh_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text')
    .addColumn('token_id', 'text')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('ssh_keys_fingerprint')
    .unique()
    .on('ssh_keys')
    .columns(['account_id', 'fingerprint'])
    .execute()
  await db.schema.createIndex('ssh_keys_user').on('ssh_keys').column('user_id').execute()
  await db.schema
    .createTable('ssh_certificates')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text')
    .addColumn('token_id', 'text')
    .addColumn('computer_id', 'text', (c) => c.notNull())
    .addColumn('ssh_key_id', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  for (const column of ['account_id', 'user_id', 'computer_id', 'expires_at'])
    await db.schema.createIndex(`ssh_certificates_${column}`).on('ssh_certificates').column(column).execute()
  await db.schema
    .createTable('ssh_ports')
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('port', 'integer', (c) => c.notNull())
    .addColumn('computer_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('ssh_ports_key', ['node_id', 'port'])
    .execute()
  await db.schema.createIndex('ssh_ports_computer').unique().on('ssh_ports').column('computer_id').execute()
  await db.schema.alterTable('computers').addColumn('authorized_keys', 'text').execute()
}
