import { limits } from '../config/limits.ts'
import { CarrelError } from '../errors.ts'
import { RoundRobin } from '../round-robin.ts'

export interface Statement {
  sql: string
  parameters: readonly unknown[]
}

/** Reads a database apart from the requests, one read at a time. */
export interface Executor {
  /** Returns the rows of each statement, all as of one time. */
  read(statements: readonly Statement[]): Promise<unknown[][]>
  /** Called when nothing was read for a while. */
  rest(): void
  /** Ends the executor; a running read fails. */
  close(): void
}

interface Waiting {
  statements: readonly Statement[]
  resolve: (rows: unknown[][]) => void
  reject: (error: unknown) => void
}

/** Hands reads to an executor one at a time, accounts in turn, and bounds how many wait and for how long. */
export class FairReader {
  readonly #executor: Executor
  readonly #maxWaitMs: number
  readonly #waiting = new RoundRobin<Waiting>()
  #isReading = false
  #isClosed = false
  #idle: NodeJS.Timeout | undefined

  constructor(executor: Executor, maxWaitMs: number = limits.bulkReadWaitMs) {
    this.#executor = executor
    this.#maxWaitMs = maxWaitMs
  }

  /** Returns the rows of each statement. Throws as `readMany` does. */
  read(accountId: string, statements: readonly Statement[]): Promise<unknown[][]> {
    if (this.#waiting.waitingOf(accountId) >= limits.bulkReadsPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot read this: ${limits.bulkReadsPerAccount} requests of this account are waiting for such an answer already`,
        { details: { limit: limits.bulkReadsPerAccount } },
      )
    if (this.#waiting.size >= limits.bulkReads)
      throw new CarrelError(
        'no_capacity',
        `Cannot read this: ${limits.bulkReads} requests are waiting for such an answer`,
      )
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#waiting.remove(accountId, waiting)
        reject(new CarrelError('unavailable', 'Cannot read this: it takes too long now'))
      }, this.#maxWaitMs)
      const waiting: Waiting = {
        statements,
        resolve: (rows) => {
          clearTimeout(deadline)
          resolve(rows)
        },
        reject: (error) => {
          clearTimeout(deadline)
          reject(error)
        },
      }
      this.#waiting.push(accountId, waiting)
      this.#readNext()
    })
  }

  /** Closes the reader and its executor. Waiting reads fail with `unavailable`. */
  close(): void {
    this.#isClosed = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next.reject(isClosing())
    clearTimeout(this.#idle)
    this.#executor.close()
  }

  #readNext(): void {
    if (this.#isReading) return
    clearTimeout(this.#idle)
    const next = this.#waiting.shift()
    if (!next) {
      if (!this.#isClosed) this.#idle = setTimeout(() => this.#executor.rest(), idleMs).unref()
      return
    }
    this.#isReading = true
    const reading = this.#isClosed ? Promise.reject(isClosing()) : this.#executor.read(next.statements)
    void reading.then(next.resolve, next.reject).finally(() => {
      this.#isReading = false
      this.#readNext()
    })
  }
}

/** The failure of a read that the end of the server cuts off. */
export function isClosing(): CarrelError {
  return new CarrelError('unavailable', 'Cannot read this: the server is stopping')
}

const idleMs = 30_000
