import type { OutputChannel } from './exec-messages.ts'

/**
 * Knows where to read on after a lost connection. The server names a cursor after each batch of output; what came
 * after the last cursor comes again when the client attaches at it, and is dropped here. Counted by channel, so that
 * neither other batches nor another interleaving matter.
 */
export class OutputPosition {
  #cursor: number
  /** Bytes delivered beyond the cursor. */
  #ahead = { stdout: 0, stderr: 0 }
  /** Bytes that will come again. */
  #repeated = { stdout: 0, stderr: 0 }

  constructor(cursor: number) {
    this.#cursor = cursor
  }

  get cursor(): number {
    return this.#cursor
  }

  /** The part of it that is new; empty when all of it was delivered before. */
  accept(channel: OutputChannel, data: Uint8Array): Uint8Array {
    const repeated = Math.min(this.#repeated[channel], data.length)
    this.#repeated[channel] -= repeated
    this.#ahead[channel] += data.length - repeated
    return repeated === 0 ? data : data.subarray(repeated)
  }

  /** The server is at this cursor. What it still repeats lies beyond it. */
  mark(cursor: number): void {
    this.#cursor = cursor
    this.#ahead = { ...this.#repeated }
  }

  /** A new connection reads from `cursor`. */
  rewind(): void {
    this.#repeated = { ...this.#ahead }
  }
}
