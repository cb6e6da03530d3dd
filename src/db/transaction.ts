import { AsyncLocalStorage } from 'node:async_hooks'
import type { DialectAdapter, Kysely, Transaction } from 'kysely'
import type { Database } from './schema.ts'

/**
 * - `read`: reads everything as of one moment, and writes nothing;
 * - `operational`: may be lost in a power cut, as the server finds out at its next start what really exists;
 * - `durable`: is on the disk when the transaction resolves, for what nothing else could restore: money, memory, secrets.
 */
export type TransactionKind = 'read' | 'operational' | 'durable'

export interface TransactionOptions {
  kind: TransactionKind
  /**
   * The account that asks for the work, or the token where it takes access away, which no flood of the account may delay:
   * PostgreSQL runs the transactions of one queue one after the other, so that they do not conflict with each other,
   * however many there are, and delay nobody else.
   */
  queue?: string
  /** For what must not wait for any other work of this server. */
  isUrgent?: boolean
}

/**
 * Runs work in a transaction, as if no other were running: the only way to start one. A rule over several rows holds
 * because the work that checks it is the work that writes.
 *
 * SQLite runs one transaction after the other. PostgreSQL runs them at once and lets those fail that could not have run
 * one after the other; these are repeated. So `work` must be repeatable: it writes only to the database, and only through
 * the transaction. Throws `unavailable` when others have been in the way each time, `limit_reached` or `no_capacity` when
 * too much waits already, and an error for a transaction within another one, which would wait for the other's connection.
 */
export function transaction<T>(
  db: Kysely<Database>,
  options: TransactionKind | TransactionOptions,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  if (isInTransaction()) return Promise.reject(new Error('Cannot begin a transaction: this work is in one already'))
  const all = typeof options === 'string' ? { kind: options } : options
  return adapterOf(db).transaction(db, all, async (trx) => {
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
  transaction<T>(
    db: Kysely<Database>,
    options: TransactionOptions,
    work: (transaction: Transaction<Database>) => Promise<T>,
  ): Promise<T>
  eraseDeleted: typeof eraseDeleted
  readonly repetitions: number
}

function adapterOf(db: Kysely<Database>): DatabaseAdapter {
  return db.getExecutor().adapter as DatabaseAdapter
}
