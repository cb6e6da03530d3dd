import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ledger_books')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('account_id', 'text')
    .addColumn('balance_micros', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('ledger_transactions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('amount_micros', 'bigint', (c) => c.notNull())
    .addColumn('of_transaction', 'text', (c) => c.references('ledger_transactions.id'))
    .addColumn('data', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('ledger_transactions_account')
    .on('ledger_transactions')
    .columns(['account_id', 'at', 'id'])
    .execute()
  await db.schema
    .createIndex('ledger_transactions_of')
    .on('ledger_transactions')
    .column('of_transaction')
    .where('of_transaction', 'is not', null)
    .execute()
  await db.schema
    .createTable('ledger_entries')
    .addColumn('transaction_id', 'text', (c) => c.notNull().references('ledger_transactions.id'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('book_id', 'text', (c) => c.notNull())
    .addColumn('amount_micros', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_entries_key', ['transaction_id', 'position'])
    .execute()
  await db.schema
    .createTable('ledger_holds')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('amount_micros', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('settled_at', 'bigint')
    .execute()
  await db.schema
    .createTable('usage_remainders')
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('remainder', 'bigint', (c) => c.notNull())
    .addColumn('per', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('usage_remainders_key', ['account_id', 'meter'])
    .execute()
  await db.schema
    .createTable('spending_limits')
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('token_id', 'text', (c) => c.notNull())
    .addColumn('period', 'text', (c) => c.notNull())
    .addColumn('limit_micros', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('spending_limits_key', ['account_id', 'token_id', 'period'])
    .execute()
  await intervals(db)
}

/** Usage from before there were prices is kept with a quantity of 0, which is never charged. */
async function intervals(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('usage_intervals_computer').execute()
  await db.schema.alterTable('usage_intervals').dropColumn('open').execute()
  await db.schema
    .alterTable('usage_intervals')
    .addColumn('quantity', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('usage_intervals')
    .addColumn('amount_micros', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('usage_intervals').addColumn('token_id', 'text').execute()
  await db.schema.alterTable('usage_intervals').addColumn('label', 'text').execute()
  await db.schema
    .createIndex('usage_intervals_computer')
    .on('usage_intervals')
    .columns(['computer_id', 'meter', 'ended_at'])
    .execute()
  await db.schema
    .createIndex('usage_intervals_account')
    .on('usage_intervals')
    .columns(['account_id', 'ended_at'])
    .execute()
}
