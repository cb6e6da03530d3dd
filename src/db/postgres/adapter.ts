import { setTimeout as wait } from 'node:timers/promises'
import { PostgresAdapter, sql, type Kysely, type Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Database } from '../schema.ts'
import type { DatabaseAdapter, TransactionKind } from '../transaction.ts'
import { codeOf, isConflict, uniqueViolation } from './failures.ts'

export class SharedAdapter extends PostgresAdapter implements DatabaseAdapter {
  /**
   * Repeats a transaction that PostgreSQL could not run as if alone. A unique violation is repeated a few times only: the
   * row that a concurrent transaction has added is visible to the next attempt, which handles it or fails for good.
   */
  async transaction<T>(
    db: Kysely<Database>,
    kind: TransactionKind,
    work: (transaction: Transaction<Database>) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1, violations = 0; ; attempt++) {
      try {
        return await attemptOnce(db, kind, work)
      } catch (error) {
        const isViolation = codeOf(error) === uniqueViolation
        if (isViolation ? ++violations > maxViolations : !isConflict(error)) throw error
        if (attempt >= limits.transactionAttempts)
          throw new CarrelError('unavailable', 'The database is busy with others that change the same', {
            cause: error,
          })
      }
      await wait(Math.random() * Math.min(2 ** attempt, limits.transactionPauseMs))
    }
  }

  /** PostgreSQL reuses deleted rows' space when it vacuums, and its log when it needs the space: nothing to do here. */
  async eraseDeleted(): Promise<boolean> {
    return true
  }
}

const maxViolations = 5

function attemptOnce<T>(
  db: Kysely<Database>,
  kind: TransactionKind,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  if (kind === 'read')
    return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work)
  return db
    .transaction()
    .setIsolationLevel('serializable')
    .execute(async (trx) => {
      // The operator may have turned it off, which is good enough for the rest.
      if (kind === 'durable') await sql`set local synchronous_commit = on`.execute(trx)
      return work(trx)
    })
}
