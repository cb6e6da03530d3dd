import { Kysely, type Dialect } from 'kysely'
import { CarrelError } from '../errors.ts'
import { messageOf } from './message-of.ts'
import { openPostgres, postgresDialect } from './postgres/open.ts'
import type { Database } from './schema.ts'
import { sqliteDialect } from './sqlite/dialect.ts'
import { openSqlite } from './sqlite/open.ts'

/**
 * Opens a database and runs its missing migrations. `location` is the path of a SQLite file, `:memory:`, or a URL of
 * PostgreSQL (`postgres:` or `postgresql:`). Throws when it has migrations that this program does not know.
 */
export async function openDatabase(location: string): Promise<Kysely<Database>> {
  try {
    return await (isPostgres(location) ? openPostgres(location) : openSqlite(location))
  } catch (error) {
    throw openingFailure(location, error)
  }
}

/** Returns the failure to open a database, with its reason. */
export function openingFailure(location: string, error: unknown): Error {
  // What a client may not see, the operator has to.
  const cause = error instanceof CarrelError ? error.cause : error
  return new Error(`Cannot open the database "${withoutPassword(location)}": ${messageOf(cause)}`, { cause: error })
}

export interface ConnectionOptions {
  readOnly: boolean
  /** How long a statement of PostgreSQL may take; 0 for as long as it needs. Default: as for a request. */
  statementMs?: number
}

/** Connects to a database as it is, beside a server that may be using it. */
export function connectDatabase(location: string, options: ConnectionOptions): Kysely<Database> {
  return new Kysely<Database>({ dialect: databaseDialect(location, options) })
}

/** Returns the dialect of a database, which connects to it as it is. */
export function databaseDialect(location: string, options: ConnectionOptions): Dialect {
  return isPostgres(location) ? postgresDialect(location, options) : sqliteDialect(location, options)
}

/** Returns whether a location is a URL of PostgreSQL. */
export function isPostgres(location: string): boolean {
  return /^postgres(?:ql)?:/.test(location)
}

/** Returns a location as it may be shown: of a URL the user, the host and the database. */
export function withoutPassword(location: string): string {
  if (!isPostgres(location)) return location
  const url = URL.parse(location)
  if (!url) return 'postgres:'
  const host = url.host || url.searchParams.get('host') || 'localhost'
  return `postgres://${url.username ? `${url.username}@` : ''}${host}${url.pathname}`
}
