import type { Kysely } from 'kysely'

/** Payments by the Machine Payments Protocol, and used proofs of wallets. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('machine_payments')
    .addColumn('challenge_id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('method', 'text', (c) => c.notNull())
    .addColumn('reference', 'text', (c) => c.notNull())
    .addColumn('challenge', 'text', (c) => c.notNull())
    .addColumn('amount_cents', 'bigint', (c) => c.notNull())
    .addColumn('bonus_micros', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('receipt', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('looked_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('machine_payments_reference', ['method', 'reference'])
    .execute()
  await db.schema
    .createIndex('machine_payments_pending')
    .on('machine_payments')
    .columns(['state', 'looked_at'])
    .execute()
  await db.schema
    .createTable('spent_wallet_proofs')
    .addColumn('challenge_id', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
}
