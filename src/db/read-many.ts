import type { Compilable, Kysely } from 'kysely'
import type { FairReader, Statement } from './fair-reader.ts'
import type { Database } from './schema.ts'

const readers = new WeakMap<Kysely<Database>, FairReader>()

/** Sets what reads many rows of a database. */
export function setFairReader(db: Kysely<Database>, reader: FairReader): void {
  readers.set(db, reader)
}

type Rows<Queries extends readonly Compilable[]> = {
  -readonly [Index in keyof Queries]: Queries[Index] extends Compilable<infer Row> ? Row[] : never
}

/**
 * Returns the rows of several queries as of one time. For queries that add up or skip many rows: they run apart from the
 * requests (with SQLite on another thread), over a read-only connection, accounts in turn. Throws `limit_reached` when
 * too many reads of the account are waiting, `no_capacity` when too many are waiting in total, and `unavailable` when
 * there is no answer in time.
 */
export async function readMany<const Queries extends readonly Compilable[]>(
  db: Kysely<Database>,
  accountId: string,
  queries: Queries,
): Promise<Rows<Queries>> {
  const reader = readers.get(db)
  const compiled = queries.map((query) => query.compile())
  if (!reader) {
    // An in-memory database has only its own connection.
    const rows: unknown[][] = []
    for (const query of compiled) rows.push((await db.executeQuery(query)).rows)
    return rows as Rows<Queries>
  }
  const statements = compiled.map(({ sql, parameters }): Statement => ({ sql, parameters }))
  return (await reader.read(accountId, statements)) as Rows<Queries>
}
