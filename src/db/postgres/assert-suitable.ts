import { sql, type Kysely } from 'kysely'
import type { Database } from '../schema.ts'

/** Throws, with a reason for the operator, when a database cannot be one of Carrel's. */
export async function assertSuitable(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ version: string; encoding: string; read_only: string }>`select
    current_setting('server_version') as version,
    current_setting('server_encoding') as encoding,
    current_setting('transaction_read_only') as read_only`.execute(db)
  const { version, encoding, read_only } = rows[0]!
  if (Number.parseInt(version, 10) < minVersion)
    throw new Error(`it is PostgreSQL ${version}, and Carrel needs ${minVersion} or later`)
  if (encoding !== 'UTF8')
    throw new Error(
      `its encoding is ${encoding}, and Carrel needs UTF8: create it with "encoding 'UTF8' template template0"`,
    )
  if (read_only === 'on') throw new Error('it is read-only: a standby, or set so by "default_transaction_read_only"')
}

const minVersion = 14
