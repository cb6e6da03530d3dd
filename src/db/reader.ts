import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** Reads committed rows over a connection of its own, without waiting for transactions. */
export interface Reader {
  /**
   * Changes with every commit: at once with one of this process, soon with one of another program. undefined where the
   * database does not say.
   */
  version(): number | undefined
  /** Prepares a statement. Returns a function that reads its first row for text parameters. */
  prepare(sql: string): (parameters: readonly string[]) => unknown
}

const readers = new WeakMap<Kysely<Database>, Reader>()

/** Sets the reader of a database. */
export function setReader(db: Kysely<Database>, reader: Reader): void {
  readers.set(db, reader)
}

/** Returns the reader of a database; undefined for an in-memory database, which has only its own connection. */
export function readerOf(db: Kysely<Database>): Reader | undefined {
  return readers.get(db)
}

/** Returns a number that changes with every commit; undefined where it is not known. */
export function versionOf(db: Kysely<Database>): number | undefined {
  return readers.get(db)?.version()
}
