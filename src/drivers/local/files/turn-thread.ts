import { Worker } from 'node:worker_threads'
import { RoundRobin } from '../../../round-robin.ts'

/** What the thread answers when a request fails. */
export interface Failure {
  failure: { message: string; code: string | undefined; errno: number | undefined }
}

interface Options<Message extends object, Result> {
  /** The program of the thread. */
  program: URL
  /** Returns what takes the messages that answer a request, and returns the result with the last of them. */
  receiver: () => (message: Exclude<Message, Failure>) => Result | undefined
  /** Throws for a request that would be one too many of its computer. */
  refuse: (maxWaiting: number) => never
}

interface Waiting<Request, Result> {
  request: Request
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Sends requests to a thread of their own, one at a time, which may block it. Computers receive turns. The thread ends
 * when it is not needed for some time.
 */
export class TurnThread<Request, Message extends object, Result> {
  readonly #options: Options<Message, Result>
  readonly #waiting = new RoundRobin<Waiting<Request, Result>>()
  #worker: Worker | undefined
  #isBusy = false
  #idle: NodeJS.Timeout | undefined

  constructor(options: Options<Message, Result>) {
    this.#options = options
  }

  /** `key` identifies the computer. */
  async ask(key: string, request: Request): Promise<Result> {
    if (this.#waiting.waitingOf(key) >= maxWaiting) this.#options.refuse(maxWaiting)
    const result = new Promise<Result>((resolve, reject) => this.#waiting.push(key, { request, resolve, reject }))
    this.#next()
    return result
  }

  #next(): void {
    if (this.#isBusy) return
    clearTimeout(this.#idle)
    const next = this.#waiting.shift()
    if (!next) {
      this.#idle = setTimeout(() => void this.#end(), idleMs).unref()
      return
    }
    this.#isBusy = true
    void this.#send(next.request)
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#isBusy = false
        this.#next()
      })
  }

  #send(request: Request): Promise<Result> {
    // Node knows nothing of descriptors that system calls have opened, and warns when they are closed.
    const worker = (this.#worker ??= new Worker(this.#options.program, { trackUnmanagedFds: false }))
    const receiver = this.#options.receiver()
    return new Promise((resolve, reject) => {
      const receive = (message: Message | Failure) => {
        const failure = 'failure' in message ? message.failure : undefined
        const result = failure ? undefined : receiver(message as Exclude<Message, Failure>)
        if (!failure && result === undefined) return
        worker.off('message', receive).off('error', fail).unref()
        if (failure) reject(Object.assign(new Error(failure.message), failure))
        else resolve(result!)
      }
      const fail = (error: unknown) => {
        this.#worker = undefined
        worker.off('message', receive).off('error', fail)
        reject(error)
      }
      worker.on('message', receive).on('error', fail).ref()
      worker.postMessage(request)
    })
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

/** Returns the message for a request that has failed in the thread. */
export function failureOf(error: unknown): Failure {
  const { message, code, errno } = error as NodeJS.ErrnoException
  return { failure: { message, code, errno } }
}

/** Limit for each computer. */
const maxWaiting = 16
const idleMs = 30_000
