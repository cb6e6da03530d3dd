import type { Kysely } from 'kysely'

/** Size on the disk of the kept output of an ended process. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('processes').addColumn('kept_bytes', 'bigint').execute()
}
