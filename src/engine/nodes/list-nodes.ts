import type { Kysely } from 'kysely'
import { databaseTimeMs } from '../../db/database-time.ts'
import type { Database, NodeRow } from '../../db/schema.ts'

export interface ListedNode extends NodeRow {
  /** True while its server renews its lease. */
  isServed: boolean
  computers: number
}

/** Returns the nodes of a database, the oldest first, with the number of computers that are at home on each. */
export async function listNodes(db: Kysely<Database>): Promise<ListedNode[]> {
  const now = await databaseTimeMs(db)
  const rows = await db.selectFrom('nodes').selectAll().orderBy('created_at').orderBy('id').execute()
  const counts = await db
    .selectFrom('computers')
    .select(({ fn }) => ['node_id', fn.countAll<number>().as('count')])
    .groupBy('node_id')
    .execute()
  const computers = new Map(counts.map(({ node_id, count }) => [node_id, Number(count)]))
  return rows.map((row) => ({ ...row, isServed: row.lease_until > now, computers: computers.get(row.id) ?? 0 }))
}
