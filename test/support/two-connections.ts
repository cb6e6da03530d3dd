import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { newDatabase, openTestDatabase, runsOnPostgres, type Scope } from './test-database.ts'

/**
 * Returns the connections of two servers to one new database. SQLite works on the thread that calls it, so that two
 * connections of one process would wait for each other: there both are the same, and statements of both alternate.
 */
export async function twoConnections(scope: Scope): Promise<[Kysely<Database>, Kysely<Database>]> {
  if (!runsOnPostgres) {
    const both = await openTestDatabase(scope)
    return [both, both]
  }
  const dbs: Kysely<Database>[] = []
  scope.after(() => Promise.all(dbs.map((db) => db.destroy())))
  const location = await newDatabase(scope)
  for (let count = 0; count < 2; count++) dbs.push(await openDatabase(location))
  return [dbs[0]!, dbs[1]!]
}
