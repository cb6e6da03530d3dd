import { sql, type Kysely } from 'kysely'

/** When a shared workspace is deleted, with an index. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('delete_at', 'bigint').execute()
  await db.schema
    .createIndex('accounts_delete_at')
    .on('accounts')
    .column('delete_at')
    .where(sql.ref('delete_at'), 'is not', null)
    .execute()
}
