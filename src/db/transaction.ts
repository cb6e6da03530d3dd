import { AsyncLocalStorage } from 'node:async_hooks'
import type { DialectAdapter, Kysely, Transaction } from 'kysely'
import type { Database } from './schema.ts'

/**
 * - `read`: reads everything as of one moment, and writes nothing;
 * - `operational`: may be lost in a power cut, as the server finds out at its next start what really exists;
 * - `durable`: is on the disk when the transaction resolves, for what nothing else could restore: money, memory, secrets.
 */
export type TransactionKind = 'read' | 'operational' | 'durable'

/**
 * Runs work in a transaction, as if no other were running: the only way to start one. A rule over several rows holds
 * because the work that checks it is the work that writes.
 *
 * SQLite runs one transaction after the other. PostgreSQL runs them at once and lets those fail that could not have run
 * one after the other; these are repeated. So `work` must be repeatable: it writes only to the database, and only through
 * the transaction. Throws `unavailable` when others have been in the way each time, and an error for a transaction
 * within another one, which would wait for the other's connection.
 */
export function transaction<T>(
  db: Kysely<Database>,
  kind: TransactionKind,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  if (isInTransaction()) return Promise.reject(new Error('Cannot begin a transaction: this work is in one already'))
  return adapterOf(db).transaction(db, kind, async (trx) => {
    const own = { isOver: false }
    try {
      return await current.run(own, () => work(trx))
    } finally {
      own.isOver = true
    }
  })
}

/**
 * Returns whether the running work is in a transaction. Such work must wait for nothing that others do: they may be
 * waiting for the transaction.
 */
export function isInTransaction(): boolean {
  return current.getStore()?.isOver === false
}

/** The transaction of the running work; it may be over, for work that it started and did not wait for. */
const current = new AsyncLocalStorage<{ isOver: boolean }>()

/**
 * Makes the files of the database hold nothing of what was deleted, where the server can. Returns false when another
 * program is in the way; does not wait for it.
 */
export function eraseDeleted(db: Kysely<Database>): Promise<boolean> {
  return adapterOf(db).eraseDeleted(db)
}

/** Returns how often a transaction was repeated because others were in the way. */
export function repetitionsOf(db: Kysely<Database>): number {
  return adapterOf(db).repetitions
}

/** What the databases do in different ways. */
export interface DatabaseAdapter extends DialectAdapter {
  transaction: typeof transaction
  eraseDeleted: typeof eraseDeleted
  readonly repetitions: number
}

function adapterOf(db: Kysely<Database>): DatabaseAdapter {
  return db.getExecutor().adapter as DatabaseAdapter
}
