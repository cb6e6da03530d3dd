import { setTimeout as wait } from 'node:timers/promises'
import { PostgresAdapter, sql, type Kysely, type Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Database } from '../schema.ts'
import type { DatabaseAdapter, TransactionKind } from '../transaction.ts'
import { codeOf, isConflict, uniqueViolation } from './failures.ts'
import { Gate } from './gate.ts'

type Work<T> = (transaction: Transaction<Database>) => Promise<T>

/** Transactions that PostgreSQL cannot run as if each were alone are repeated. */
export class SharedAdapter extends PostgresAdapter implements DatabaseAdapter {
  readonly #gate = new Gate()
  #repetitions = 0

  get repetitions(): number {
    return this.#repetitions
  }

  /**
   * Repeats a transaction that conflicts with another one. Meanwhile this server begins no other transaction: otherwise
   * a transaction that takes longer than others could fail again and again.
   */
  async transaction<T>(db: Kysely<Database>, kind: TransactionKind, work: Work<T>): Promise<T> {
    if (kind === 'read') return readOnly(db, work)
    await this.#gate.pass()
    const first = await attempt(db, kind, work)
    if ('value' in first) return first.value
    return this.#gate.whileClosed(() => this.#repeat(db, kind, work))
  }

  async #repeat<T>(db: Kysely<Database>, kind: TransactionKind, work: Work<T>): Promise<T> {
    for (let repetition = 1, violations = 0; ; repetition++) {
      this.#repetitions++
      const result = await attempt(db, kind, work)
      if ('value' in result) return result.value
      // The next attempt sees the row that was added, and handles it or fails for good.
      if (codeOf(result.conflict) === uniqueViolation && ++violations >= maxViolations) throw result.conflict
      if (repetition >= limits.transactionRepetitions)
        throw new CarrelError('unavailable', 'Cannot write to the database: others change the same rows all the time', {
          cause: result.conflict,
        })
      await wait(Math.random() * Math.min(2 ** repetition, limits.transactionPauseMs))
    }
  }

  /** PostgreSQL reuses the space of deleted rows when it vacuums, and that of its log when it needs it. */
  async eraseDeleted(): Promise<boolean> {
    return true
  }
}

const maxViolations = 3

async function attempt<T>(
  db: Kysely<Database>,
  kind: TransactionKind,
  work: Work<T>,
): Promise<{ value: T } | { conflict: unknown }> {
  try {
    return { value: await run(db, kind, work) }
  } catch (error) {
    if (isConflict(error)) return { conflict: error }
    throw error
  }
}

function readOnly<T>(db: Kysely<Database>, work: Work<T>): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work)
}

function run<T>(db: Kysely<Database>, kind: TransactionKind, work: Work<T>): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('serializable')
    .execute(async (trx) => {
      // The operator may have turned it off, which is good enough for the rest.
      if (kind === 'durable') await sql`set local synchronous_commit = on`.execute(trx)
      return work(trx)
    })
}
