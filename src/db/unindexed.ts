import { sql, type Expression } from 'kysely'

/**
 * Returns a text column that the database cannot look up by an index. For a condition that narrows few rows down: where
 * SQLite has no statistics, it would rather use an index on two such columns than the one that finds those few rows.
 */
export function unindexed(column: string): Expression<string> {
  return sql<string>`coalesce(${sql.ref(column)}, '')`
}
