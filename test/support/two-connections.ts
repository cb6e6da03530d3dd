import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'

/**
 * Returns the connections of two servers to one new database. SQLite works on the thread that calls it, so that two
 * connections of one process would wait for each other: there both are the same, and statements of both alternate.
 */
export async function twoConnections(test: {
  after: (work: () => Promise<void>) => void
}): Promise<[Kysely<Database>, Kysely<Database>]> {
  const both = await openDatabase(':memory:')
  test.after(() => both.destroy())
  return [both, both]
}
