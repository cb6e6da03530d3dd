import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { PostgresServer } from './postgres-server.ts'

/** A test, or the `Cleanup` of a suite. */
export interface Scope {
  after(end: () => Promise<unknown> | void): void
}

/** The server on which this run of the test file makes its databases; undefined where it makes them with SQLite. */
const server = process.env.CARREL_TEST_POSTGRES ? new PostgresServer(process.env.CARREL_TEST_POSTGRES) : undefined

/** In memory where possible: no test cuts the power. */
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export const runsOnPostgres = server !== undefined

/**
 * Opens a new database with all tables. It is closed and removed after the test. With SQLite it is in memory, where
 * nothing but its connection sees it, unless it is to be `inFile`.
 */
export async function openTestDatabase(scope: Scope, { inFile = false } = {}): Promise<Kysely<Database>> {
  let db: Kysely<Database> | undefined
  // Hooks run in the order in which they are added: the database is closed before it is removed.
  scope.after(() => db?.destroy())
  db = await openDatabase(server || inFile ? await newDatabase(scope) : ':memory:')
  return db
}

/** How often a property is tried: on PostgreSQL each statement takes a round trip, and what a fact does is the same. */
export const propertyRuns = Number(process.env.CARREL_PROPERTY_RUNS ?? (runsOnPostgres ? 15 : 60))

/**
 * Returns the location of a new database, which is removed after the test: with all tables in PostgreSQL unless it is to
 * be `empty`, and a file that does not exist yet with SQLite.
 */
export async function newDatabase(scope: Scope, options: { empty?: boolean } = {}): Promise<string> {
  if (server) {
    const url = await server.create(options)
    scope.after(() => server.drop(url))
    return url
  }
  const folder = mkdtempSync(join(parent, 'carrel-database-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'carrel.db')
}
