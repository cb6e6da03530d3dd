import { sql, type Kysely } from 'kysely'

/** A computer has a name, whichever surface uses it, and a kind of life instead of a flag. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('computers').renameColumn('session_key', 'name').execute()
  await db.schema
    .alterTable('computers')
    .addColumn('lifecycle', 'text', (c) => c.notNull().defaultTo('sandbox'))
    .execute()
  await sql`update computers set lifecycle = 'durable' where ephemeral = 0`.execute(db)
  await db.schema.alterTable('computers').dropColumn('ephemeral').execute()
}
