import type { CompiledQuery, Kysely } from 'kysely'
import { readerOf } from './reader.ts'
import type { Database } from './schema.ts'

/**
 * Prepares a query for one row by text parameters, once for each database. For queries of requests: building the query
 * and waiting for the connection would cost more than the answer. `build` writes an empty text for each parameter.
 */
export function lookup<Row>(build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> }) {
  const prepared = new WeakMap<Kysely<Database>, Find<Row>>()
  return async (db: Kysely<Database>, ...parameters: string[]): Promise<Row | undefined> => {
    let find = prepared.get(db)
    if (!find) prepared.set(db, (find = prepare(db, build(db).compile())))
    return find(parameters)
  }
}

type Find<Row> = (parameters: readonly string[]) => Row | undefined | Promise<Row | undefined>

function prepare<Row>(db: Kysely<Database>, query: CompiledQuery<Row>): Find<Row> {
  const read = readerOf(db)?.prepare(query.sql)
  if (read) return (parameters) => read(parameters) as ReturnType<Find<Row>>
  return async (parameters) => (await db.executeQuery<Row>({ ...query, parameters })).rows[0]
}
