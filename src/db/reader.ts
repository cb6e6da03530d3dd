import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** Reads beside the transactions of others, and sees what is committed. */
export interface Reader {
  /** Changes with every commit: at once with our own, soon with another program's. */
  version(): number
  /** The first row for some texts. */
  prepare(sql: string): (parameters: readonly string[]) => unknown
}

const readers = new WeakMap<Kysely<Database>, Reader>()

/** Says how a database is read where its own connection need not be waited for. */
export function setReader(db: Kysely<Database>, reader: Reader): void {
  readers.set(db, reader)
}

/** undefined for a database in memory, which nobody reads beside its own connection. */
export function readerOf(db: Kysely<Database>): Reader | undefined {
  return readers.get(db)
}

/** What changes with every commit; undefined where that is not known. */
export function versionOf(db: Kysely<Database>): number | undefined {
  return readers.get(db)?.version()
}
