import type { Kysely } from 'kysely'

/** What is kept of an ended process takes so much on the disk. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('processes').addColumn('kept_bytes', 'bigint').execute()
}
