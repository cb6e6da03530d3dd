import type { Compilable, Kysely } from 'kysely'
import type { Database } from './schema.ts'
import type { WorkerReader, Statement } from './worker-reader.ts'

const readers = new WeakMap<Kysely<Database>, WorkerReader>()

/** Says who reads a database beside the main thread. */
export function setWorkerReader(db: Kysely<Database>, reader: WorkerReader): void {
  readers.set(db, reader)
}

type Rows<Queries extends readonly Compilable[]> = {
  -readonly [Index in keyof Queries]: Queries[Index] extends Compilable<infer Row> ? Row[] : never
}

/**
 * The rows of some queries, all as of one moment. For what adds up or skips many rows: it is read on a thread of its
 * own, of a connection that can only read, and whose queries they are goes by turns. Rejects with `limit_reached` when
 * too much of `whose` waits, with `no_capacity` when too much does in all, and with `unavailable` when there is no
 * answer in time.
 */
export async function readInWorker<const Queries extends readonly Compilable[]>(
  db: Kysely<Database>,
  whose: string,
  queries: Queries,
): Promise<Rows<Queries>> {
  const reader = readers.get(db)
  const compiled = queries.map((query) => query.compile())
  if (!reader) {
    // A database in memory is its connection's alone.
    const rows: unknown[][] = []
    for (const query of compiled) rows.push((await db.executeQuery(query)).rows)
    return rows as Rows<Queries>
  }
  const statements = compiled.map(({ sql, parameters }): Statement => ({ sql, parameters }))
  return (await reader.read(whose, statements)) as Rows<Queries>
}
