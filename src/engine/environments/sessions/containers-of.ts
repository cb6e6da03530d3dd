import type { ComputerRow, SessionRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'

export type Container = Pick<ComputerRow, 'id' | 'name' | 'state' | 'node_id' | 'created_at'>

/** Returns the computers of sessions, by their ids. A session that has ended has none. */
export async function containersOf(
  { db }: Pick<Context, 'db'>,
  sessions: readonly SessionRow[],
): Promise<Map<string, Container>> {
  const ids = sessions.filter(({ ended_at: endedAt }) => endedAt === null).map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('computers')
    .select(['id', 'name', 'state', 'node_id', 'created_at'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}
