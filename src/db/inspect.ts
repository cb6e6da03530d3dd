import { existsSync } from 'node:fs'
import { sql, type Kysely } from 'kysely'
import { isMigrated } from './migrations.ts'
import { connectDatabase, isPostgres, openingFailure } from './open.ts'
import type { Database } from './schema.ts'

/** What is known of a database before it is opened, which would create or change it. */
export interface Inspected {
  /** undefined for a database of an earlier version, and for an empty one. */
  deploymentId: string | undefined
  /** The number in the header of a SQLite file of an earlier version; undefined elsewhere. */
  mark: number | undefined
  hasAccounts: boolean
  /** Whether it has all migrations of this program. */
  isMigrated: boolean
}

/** Looks into a database without changing it. Throws as `openDatabase` does. */
export async function inspectDatabase(location: string): Promise<Inspected | 'missing'> {
  if (!isPostgres(location) && !existsSync(location)) return 'missing'
  let db: Kysely<Database> | undefined
  try {
    db = connectDatabase(location, { readOnly: true })
    const tables = new Set((await db.introspection.getTables()).map(({ name }) => name))
    return {
      deploymentId: tables.has('deployment')
        ? (await db.selectFrom('deployment').select('id').executeTakeFirst())?.id
        : undefined,
      mark: isPostgres(location) ? undefined : await headerMark(db),
      hasAccounts:
        tables.has('accounts') && (await db.selectFrom('accounts').select('id').limit(1).execute()).length > 0,
      isMigrated: await isMigrated(db),
    }
  } catch (error) {
    throw openingFailure(location, error)
  } finally {
    await db?.destroy()
  }
}

async function headerMark(db: Kysely<Database>): Promise<number | undefined> {
  const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(db)
  return rows[0]?.user_version || undefined
}
