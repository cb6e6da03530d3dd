import type { Kysely } from 'kysely'

/** What computers have used of memory at earlier sizes, so that a resize does not change the past. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['memory_mib_ms', 'memory_counted_ms'])
    await db.schema
      .alterTable('computers')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
}
