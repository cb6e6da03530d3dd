import { Worker } from 'node:worker_threads'
import { limits } from '../config/limits.ts'
import { CarrelError } from '../errors.ts'
import { RoundRobin } from '../round-robin.ts'

export interface Statement {
  sql: string
  parameters: readonly unknown[]
}

/** The thread's answer: the rows of each statement, or the error. */
export type WorkerAnswer = { rows: unknown[][] } | { failure: { message: string; code: string | undefined } }

interface Waiting {
  statements: readonly Statement[]
  resolve: (rows: unknown[][]) => void
  reject: (error: unknown) => void
}

/**
 * Reads a database on another thread, one request at a time, accounts in turn. The thread lives while it is needed.
 * Nothing can interrupt a query of SQLite: one that takes longer than its caller waits is still finished, and others
 * wait for it.
 */
export class WorkerReader {
  readonly #path: string
  readonly #maxWaitMs: number
  readonly #waiting = new RoundRobin<Waiting>()
  #worker: Worker | undefined
  #isReading = false
  #isClosed = false
  #idle: NodeJS.Timeout | undefined

  constructor(path: string, maxWaitMs: number = limits.workerReadWaitMs) {
    this.#path = path
    this.#maxWaitMs = maxWaitMs
  }

  /** Returns the rows of each statement. Throws as `readInWorker` does. */
  read(accountId: string, statements: readonly Statement[]): Promise<unknown[][]> {
    if (this.#waiting.waitingOf(accountId) >= limits.workerReadsPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot read this: ${limits.workerReadsPerAccount} requests of this account are waiting for such an answer already`,
        { details: { limit: limits.workerReadsPerAccount } },
      )
    if (this.#waiting.size >= limits.workerReads)
      throw new CarrelError(
        'no_capacity',
        `Cannot read this: ${limits.workerReads} requests are waiting for such an answer`,
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

  /** Closes the reader. Waiting reads fail with `unavailable`. */
  close(): void {
    this.#isClosed = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next.reject(isClosing())
    clearTimeout(this.#idle)
    void this.#end()
  }

  #readNext(): void {
    if (this.#isReading) return
    clearTimeout(this.#idle)
    const next = this.#waiting.shift()
    if (!next) {
      if (this.#worker) this.#idle = setTimeout(() => void this.#end(), idleMs).unref()
      return
    }
    this.#isReading = true
    void this.#ask(next.statements)
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#isReading = false
        this.#readNext()
      })
  }

  #ask(statements: readonly Statement[]): Promise<unknown[][]> {
    if (this.#isClosed) return Promise.reject(isClosing())
    const worker = (this.#worker ??= new Worker(new URL('reader-worker.ts', import.meta.url), {
      workerData: this.#path,
    }))
    return new Promise((resolve, reject) => {
      const done = () => worker.off('message', take).off('error', fail).off('exit', exited).unref()
      const take = (answer: WorkerAnswer) => {
        done()
        if ('rows' in answer) resolve(answer.rows)
        else reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }))
      }
      const fail = (error: unknown) => {
        this.#worker = undefined
        done()
        reject(error)
      }
      const exited = () => fail(isClosing())
      worker.on('message', take).on('error', fail).on('exit', exited).ref()
      worker.postMessage(statements)
    })
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function isClosing(): CarrelError {
  return new CarrelError('unavailable', 'Cannot read this: the server is stopping')
}

const idleMs = 30_000
