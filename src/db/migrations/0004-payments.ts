import { sql, type Kysely } from 'kysely'

/** Every payment that was started or received, beside the ledger: its account, method and state. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('payments')
    .addColumn('id', 'text', (c) => c.primaryKey())
    // Not a reference: like the ledger, a payment outlives its account.
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('method', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('cents', 'bigint', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.unique())
    .addColumn('session_id', 'text', (c) => c.unique())
    .addColumn('intent_id', 'text', (c) => c.unique())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('data', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('payments_account').on('payments').columns(['account_id', 'created_at']).execute()
  await db.schema.createIndex('payments_state').on('payments').columns(['state', 'updated_at']).execute()
  // For an account's totals: everything that moved its credit except the many charges.
  await db.schema
    .createIndex('ledger_transactions_credit')
    .on('ledger_transactions')
    .column('account_id')
    .where(sql.ref('kind'), '<>', sql.lit('usage'))
    .execute()
}
