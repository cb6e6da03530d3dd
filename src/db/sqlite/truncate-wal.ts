import { sql, type Kysely } from 'kysely'
import type { Database } from '../schema.ts'

/**
 * Moves the write-ahead log into the database and truncates it: otherwise it keeps old pages until others happen to
 * overwrite them. Returns false when another connection is reading; does not wait for it.
 */
export function truncateWal(db: Kysely<Database>): Promise<boolean> {
  return db.connection().execute(async (connection) => {
    const { rows: before } = await sql<{ timeout: number }>`PRAGMA busy_timeout`.execute(connection)
    await sql`PRAGMA busy_timeout=0`.execute(connection)
    try {
      const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(connection)
      return rows[0]?.busy === 0
    } finally {
      await sql`PRAGMA busy_timeout=${sql.lit(before[0]!.timeout)}`.execute(connection)
    }
  })
}
