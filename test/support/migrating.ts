import { Kysely } from 'kysely'
import { databaseDialect } from '../../src/db/open.ts'
import { ColumnTypesPlugin } from '../../src/db/postgres/column-types.ts'
import type { Database } from '../../src/db/schema.ts'
import { runsOnPostgres } from './test-database.ts'

/** Connects to a database as migrations do, and runs none. */
export function migrating(location: string): Kysely<Database> {
  const plugins = runsOnPostgres ? [new ColumnTypesPlugin()] : []
  return new Kysely<Database>({ dialect: databaseDialect(location, { readOnly: false }), plugins })
}
