import type { OutputChannel } from './exec-messages.ts'

/**
 * Tracks where to continue after a lost connection. The server sends a cursor after each batch of output. Output after
 * the last cursor is sent again when the client attaches at that cursor, and is dropped here. Bytes are counted by
 * channel, so that different batches or interleaving do not matter.
 */
export class OutputPosition {
  #cursor: number
  /** Bytes delivered beyond the cursor. */
  #ahead = { stdout: 0, stderr: 0 }
  /** Bytes that will be repeated. */
  #repeated = { stdout: 0, stderr: 0 }

  constructor(cursor: number) {
    this.#cursor = cursor
  }

  get cursor(): number {
    return this.#cursor
  }

  /** Returns the new part of some output; empty if all of it was delivered before. */
  accept(channel: OutputChannel, data: Uint8Array): Uint8Array {
    const repeated = Math.min(this.#repeated[channel], data.length)
    this.#repeated[channel] -= repeated
    this.#ahead[channel] += data.length - repeated
    return repeated === 0 ? data : data.subarray(repeated)
  }

  /** Records the server's cursor. Output that is still to be repeated lies beyond it. */
  mark(cursor: number): void {
    this.#cursor = cursor
    this.#ahead = { ...this.#repeated }
  }

  /** Prepares for a new connection, which reads from `cursor`. */
  rewind(): void {
    this.#repeated = { ...this.#ahead }
  }
}
