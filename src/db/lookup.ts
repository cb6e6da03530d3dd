import type { CompiledQuery, Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** Reads beside the transactions of others, and sees what is committed. */
interface Reader {
  /** Changes with every commit of anybody. */
  version(): number
  /** The first row for some texts. */
  prepare(sql: string): (parameters: readonly string[]) => unknown
}

const readers = new WeakMap<Kysely<Database>, Reader>()

/** Says how lookups of a database are done where its own connection need not be waited for. */
export function setReader(db: Kysely<Database>, reader: Reader): void {
  readers.set(db, reader)
}

/**
 * A query for one row by texts, which requests ask so often that building it and waiting in line for the connection would cost more than
 * the answer: it is put into SQL once for each database, and a row is remembered for as long as nobody commits anything. `build` writes
 * an empty text for each parameter. Rows are not to be changed.
 */
export function lookup<Row>(build: (db: Kysely<Database>) => { compile(): CompiledQuery<Row> }) {
  const prepared = new WeakMap<Kysely<Database>, Find<Row>>()
  return (db: Kysely<Database>, ...parameters: string[]): Row | undefined | Promise<Row | undefined> => {
    let find = prepared.get(db)
    if (!find) prepared.set(db, (find = prepare(db, build(db).compile())))
    return find(parameters)
  }
}

type Find<Row> = (parameters: readonly string[]) => Row | undefined | Promise<Row | undefined>

function prepare<Row>(db: Kysely<Database>, query: CompiledQuery<Row>): Find<Row> {
  const reader = readers.get(db)
  if (!reader) return async (parameters) => (await db.executeQuery<Row>({ ...query, parameters })).rows[0]
  const read = reader.prepare(query.sql)
  const known = new Map<string, Row>()
  let version = -1
  return (parameters) => {
    const current = reader.version()
    if (current !== version || known.size >= mostKnown) known.clear()
    version = current
    const key = parameters.length === 1 ? parameters[0]! : parameters.join(' ')
    const found = known.get(key)
    if (found) return found
    const row = read(parameters) as Row | undefined
    if (row) known.set(key, row)
    return row
  }
}

const mostKnown = 10_000
