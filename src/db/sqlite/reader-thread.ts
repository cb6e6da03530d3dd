import { Worker } from 'node:worker_threads'
import { isClosing, type Executor, type Statement } from '../fair-reader.ts'

/** The thread's answer: the rows of each statement, or the error. */
export type WorkerAnswer = { rows: unknown[][] } | { failure: { message: string; code: string | undefined } }

/**
 * Reads a database file on a thread of its own, which lives while it is needed. Nothing can interrupt a query of SQLite:
 * one that takes longer than its caller waits is still finished, and others wait for it.
 */
export class ReaderThread implements Executor {
  readonly #path: string
  #worker: Worker | undefined

  constructor(path: string) {
    this.#path = path
  }

  read(statements: readonly Statement[]): Promise<unknown[][]> {
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

  rest(): void {
    void this.#end()
  }

  close(): void {
    void this.#end()
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
