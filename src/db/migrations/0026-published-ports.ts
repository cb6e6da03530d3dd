import { sql, type Kysely } from 'kysely'

/** Ports with a name, which everybody or only members may open. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('ports').addColumn('name', 'text').execute()
  await db.schema
    .alterTable('ports')
    .addColumn('visibility', 'text', (c) => c.notNull().defaultTo('public'))
    .execute()
  await db.schema
    .alterTable('ports')
    .addColumn('updated_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await sql`update ports set updated_at = created_at`.execute(db)
}
