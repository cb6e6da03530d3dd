import { setTimeout as wait } from 'node:timers/promises'
import { PostgresAdapter, sql, type Kysely, type Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { Database } from '../schema.ts'
import type { DatabaseAdapter, TransactionKind, TransactionOptions } from '../transaction.ts'
import { codeOf, isConflict, uniqueViolation } from './failures.ts'
import { Gate } from './gate.ts'
import { Queues } from './queues.ts'

type Work<T> = (transaction: Transaction<Database>) => Promise<T>
type Outcome<T> = { value: T } | { conflict: unknown }
type Attempt<T> = () => Promise<Outcome<T>>

/**
 * Runs transactions side by side, and repeats those that PostgreSQL could not run as if each were alone. What accounts do
 * takes turns: the transactions of one queue, which nearly always conflict, run one after the other, and those of other
 * queues wait for one of them at a time.
 */
export class SharedAdapter extends PostgresAdapter implements DatabaseAdapter {
  readonly #queues = new Queues({
    action: 'write to the database',
    unnamedAtOnce: limits.unnamedTransactionsAtOnce,
    maxWaitingOfOne: limits.waitingTransactionsPerAccount,
    maxWaiting: limits.waitingTransactions,
  })
  readonly #gate = new Gate(limits.transactionsAtOnce)
  readonly #urgent: Kysely<Database> | undefined
  #repetitions = 0

  /** @param urgent the same database, over a connection that nothing else uses */
  constructor(urgent?: Kysely<Database>) {
    super()
    this.#urgent = urgent
  }

  get repetitions(): number {
    return this.#repetitions
  }

  /**
   * Repeats a transaction that conflicts with another one. Meanwhile this server runs no other transaction: otherwise a
   * transaction that takes longer than others could fail again and again. Others run between two repetitions.
   */
  async transaction<T>(db: Kysely<Database>, { kind, queue, isUrgent }: TransactionOptions, work: Work<T>): Promise<T> {
    if (kind === 'read') return readOnly(db, work)
    if (isUrgent) return this.#runAtOnce(() => attempt(this.#urgent ?? db, kind, work))
    const once = () => attempt(db, kind, work)
    return this.#queues.run(queue, async () => {
      const first = await this.#gate.besideOthers(once)
      return 'value' in first ? first.value : this.#repeat(() => this.#gate.alone(once))
    })
  }

  async #runAtOnce<T>(once: Attempt<T>): Promise<T> {
    const first = await once()
    return 'value' in first ? first.value : this.#repeat(once)
  }

  async #repeat<T>(once: Attempt<T>): Promise<T> {
    for (let repetition = 1, violations = 0; ; repetition++) {
      this.#repetitions++
      const result = await once()
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

async function attempt<T>(db: Kysely<Database>, kind: TransactionKind, work: Work<T>): Promise<Outcome<T>> {
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
