/**
 * Reusable buffers for large binary messages. Allocating one for each message would be most of the cost of sending: the
 * garbage collector runs once for every few tens of MiB that are allocated.
 */
export class MessageBuffers {
  readonly #free: Buffer[] = []

  /** Returns a buffer of at least `bytes`. Small buffers are not worth keeping, and are new. */
  take(bytes: number): Buffer {
    if (bytes < minBytes || bytes > keptBytes) return Buffer.allocUnsafe(bytes)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(keptBytes)
  }

  /** Takes back a buffer that is no longer read. */
  release(buffer: Buffer): void {
    if (buffer.length === keptBytes && this.#free.length < maxFree) this.#free.push(buffer)
  }
}

/** A piece of output and its prefix. */
const keptBytes = 1024 * 1024 + 64
const minBytes = 64 * 1024
/** For all connections together. */
const maxFree = 16
