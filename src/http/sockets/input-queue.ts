import type { ClientSocket } from './client-socket.ts'

/** What a client sends to a process, done in the order in which it arrived. While much waits, the client is not read. */
export class InputQueue {
  readonly #socket: ClientSocket
  readonly #onError: (error: unknown) => Promise<void> | void
  #tail: Promise<void> = Promise.resolve()
  #bytes = 0

  constructor(socket: ClientSocket, onError: (error: unknown) => Promise<void> | void) {
    this.#socket = socket
    this.#onError = onError
  }

  get isFull(): boolean {
    return this.#bytes > maxQueuedBytes
  }

  /** Does something after everything that came before it. */
  add(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(work).catch(this.#onError)
    return this.#tail
  }

  /** Does something with bytes of the client, which count until it is done. */
  take(bytes: number, work: () => Promise<void>): void {
    this.#bytes += bytes
    if (this.isFull) this.#socket.pause()
    void this.add(work).finally(() => {
      this.#bytes -= bytes
      if (!this.isFull) this.#socket.resume()
    })
  }
}

const maxQueuedBytes = 1024 * 1024
