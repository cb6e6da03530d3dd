import type { ClientSocket } from './client-socket.ts'

interface Waiting {
  work: () => Promise<void>
  costBytes: number
}

/** What a client sends to a process, done in the order in which it arrived. While much waits, the client is not read. */
export class InputQueue {
  readonly #socket: Pick<ClientSocket, 'pause' | 'resume'>
  readonly #onError: (error: unknown) => Promise<void> | void
  readonly #waiting: Waiting[] = []
  #isBusy = false
  #bytes = 0

  /** @param onError is called when work fails, and must not fail itself: what follows waits for it */
  constructor(socket: Pick<ClientSocket, 'pause' | 'resume'>, onError: (error: unknown) => Promise<void> | void) {
    this.#socket = socket
    this.#onError = onError
  }

  get isFull(): boolean {
    return this.#bytes > maxQueuedBytes
  }

  /** Does something with a message of so many bytes after everything that came before it. It counts until it is done. */
  take(messageBytes: number, work: () => Promise<void>): void {
    const costBytes = messageBytes + messageCostBytes
    this.#bytes += costBytes
    if (this.isFull) this.#socket.pause()
    this.#waiting.push({ work, costBytes })
    if (!this.#isBusy) void this.#run()
  }

  /** Leaves out what has not begun. */
  drop(): void {
    for (const { costBytes } of this.#waiting.splice(0)) this.#bytes -= costBytes
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    for (let next; (next = this.#waiting.shift());) {
      try {
        await next.work()
      } catch (error) {
        await this.#onError(error)
      }
      this.#bytes -= next.costBytes
      if (!this.isFull) this.#socket.resume()
    }
    this.#isBusy = false
  }
}

const maxQueuedBytes = 1024 * 1024
/** What a message takes besides its bytes, so that many small and empty ones are bounded, too. */
const messageCostBytes = 1024
