import { Worker } from 'node:worker_threads'
import { CarrelError } from '../../../errors.ts'
import { RoundRobin } from '../../../round-robin.ts'
import type { EntryStats } from './file-info.ts'

export interface ListRequest {
  /** The directory's descriptor, which stays open until the answer arrives. */
  fd: number
  limit: number
  /** A name as Latin-1, which preserves its bytes. */
  after: string | undefined
  maxBytes: number
  prefixBytes: number
}

export interface ListedPage {
  entries: EntryStats[]
  /** The last name of the page; undefined for the last page. */
  next: string | undefined
}

/** A message of the thread: a part of a page, its end, or a failure. */
export type ListMessage =
  | { entries: EntryStats[] }
  | { end: true; next: string | undefined }
  | { failure: { message: string; code: string | undefined } }

interface Waiting {
  request: ListRequest
  resolve: (page: ListedPage) => void
  reject: (error: unknown) => void
}

/**
 * Reads pages of large directories on a separate thread, one at a time: a million names receive a second. Computers receive
 * turns. The thread ends when it is not needed for some time.
 */
class LargeLists {
  readonly #waiting = new RoundRobin<Waiting>()
  #worker: Worker | undefined
  #isReading = false
  #idle: NodeJS.Timeout | undefined

  /** Rejects with `limit_reached` when too many requests of the same key are queued. */
  async read(key: string, request: ListRequest): Promise<ListedPage> {
    if (this.#waiting.waitingOf(key) >= maxWaiting)
      throw new CarrelError(
        'limit_reached',
        `Cannot list the directory: ${maxWaiting} requests for large directories of this sandbox are already queued`,
        { details: { limit: maxWaiting } },
      )
    const page = new Promise<ListedPage>((resolve, reject) => this.#waiting.push(key, { request, resolve, reject }))
    this.#readNext()
    return page
  }

  #readNext(): void {
    if (this.#isReading) return
    clearTimeout(this.#idle)
    const next = this.#waiting.shift()
    if (!next) {
      this.#idle = setTimeout(() => void this.#end(), idleMs).unref()
      return
    }
    this.#isReading = true
    void this.#ask(next.request)
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#isReading = false
        this.#readNext()
      })
  }

  #ask(request: ListRequest): Promise<ListedPage> {
    const worker = (this.#worker ??= new Worker(new URL('large-lists-worker.ts', import.meta.url)))
    const entries: EntryStats[] = []
    return new Promise((resolve, reject) => {
      const receive = (message: ListMessage) => {
        if ('entries' in message) return void entries.push(...message.entries)
        worker.off('message', receive).off('error', fail).unref()
        if ('end' in message) resolve({ entries, next: message.next })
        else reject(Object.assign(new Error(message.failure.message), { code: message.failure.code }))
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

export const largeLists = new LargeLists()

/** Limit for each computer. */
const maxWaiting = 16
const idleMs = 30_000
