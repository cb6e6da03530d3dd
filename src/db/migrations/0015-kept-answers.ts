import { sql, type Kysely } from 'kysely'

/** The size of a response under an Idempotency-Key, the process of its request, and indexes for the oldest keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('idempotency')
    .addColumn('bytes', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('idempotency').addColumn('process_id', 'text').execute()
  await sql`update idempotency set bytes = length(body) where status > 0`.execute(db)
  await db.schema.createIndex('idempotency_age').on('idempotency').columns(['account_id', 'created_at']).execute()
  await db.schema.createIndex('idempotency_created_at').on('idempotency').column('created_at').execute()
}
