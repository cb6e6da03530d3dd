import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** Called with the failure when a database begins to fail or fails in another way, and with undefined when it works again. */
export type FailureListener = (failure: Error | undefined, state: { isSilent: boolean }) => void

/** Finds out by itself whether a database works. */
export interface DatabaseWatch {
  onChange(listener: FailureListener): void
}

const watches = new WeakMap<Kysely<Database>, DatabaseWatch>()

/** Sets the watch of a database. */
export function setWatch(db: Kysely<Database>, watch: DatabaseWatch): void {
  watches.set(db, watch)
}

/** Returns the watch of a database; undefined for SQLite, which fails only where it is used. */
export function watchOf(db: Kysely<Database>): DatabaseWatch | undefined {
  return watches.get(db)
}
