import { sql, type Kysely } from 'kysely'
import type { Database } from './schema.ts'

/**
 * Takes what is in the write-ahead log into the database, and cuts the log to nothing: it keeps old pages otherwise,
 * until others happen to overwrite them. False when somebody else reads at this moment; nothing waits for them.
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
