/**
 * Places for large binary messages that are used again and again. A new one for each would be the greatest part of the
 * work of sending: the collector runs once for every few tens of MiB that were allocated.
 */
export class MessageBuffers {
  readonly #free: Buffer[] = []

  /** One of at least this size; small ones are not worth keeping. */
  take(bytes: number): Buffer {
    if (bytes < minBytes || bytes > keptBytes) return Buffer.allocUnsafe(bytes)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(keptBytes)
  }

  /** Nobody reads it any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === keptBytes && this.#free.length < maxFree) this.#free.push(buffer)
  }
}

/** A piece of output and what stands before it. */
const keptBytes = 1024 * 1024 + 64
const minBytes = 64 * 1024
/** Of all connections. */
const maxFree = 16
