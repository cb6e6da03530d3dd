import type { Kysely } from 'kysely'

/** The kernel's count of each sandbox's processor time, up to the last charge. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('compute_marks')
    .addColumn('computer_id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('cpus', 'real', (column) => column.notNull())
    .addColumn('counter_micros', 'bigint', (column) => column.notNull())
    .addColumn('used_micros', 'bigint', (column) => column.notNull())
    .addColumn('open_ms', 'bigint', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
}
