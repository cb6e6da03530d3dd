import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { DatabaseFailure } from '../database-failure.ts'
import { watchOf } from '../db/database-watch.ts'
import type { Database } from '../db/schema.ts'
import type { HelperStates } from '../helper-states.ts'

/** What finds out whether the database works, what knows most first: its watch, the node's lease, processes' records. */
const observers = ['watch', 'lease', 'records'] as const
export type DatabaseObserver = (typeof observers)[number]

interface Parts {
  db: Kysely<Database>
  helpers: HelperStates
  log: Logger
}

/** Reports the database as degraded while an observer finds that it fails, and logs each change once. */
export class DatabaseHealth {
  readonly #parts: Parts
  readonly #failures = new Map<DatabaseObserver, DatabaseFailure>()

  constructor(parts: Parts) {
    this.#parts = parts
    parts.helpers.report('database')
    watchOf(parts.db)?.onChange((failure) => this.report('watch', failure))
  }

  /** Records what an observer found: a failure, or none. */
  report(observer: DatabaseObserver, failure?: unknown): void {
    const { helpers, log } = this.#parts
    if (failure === undefined) this.#failures.delete(observer)
    else this.#failures.set(observer, asDatabaseFailure(failure))
    const found = this.#found()
    if (!helpers.report('database', found && `it ${found.why}`)) return
    if (found) log.error({ err: failure }, `the database fails: it ${found.why}`)
    else log.warn('the database works again')
  }

  /** Throws `unavailable` while the database fails: for what is done after its caller was answered. */
  assertWorks(): void {
    const found = this.#found()
    if (found) throw new DatabaseFailure('unavailable', found.why, found)
  }

  #found(): DatabaseFailure | undefined {
    return observers.map((observer) => this.#failures.get(observer)).find((failure) => failure !== undefined)
  }
}

function asDatabaseFailure(failure: unknown): DatabaseFailure {
  return failure instanceof DatabaseFailure
    ? failure
    : new DatabaseFailure('unavailable', 'accepts no records', failure)
}
