import { limits } from '../../config/limits.ts'

/**
 * How long a transfer waits for its peer. It waits for up to `stallMs` at a time, and each byte that is moved earns back
 * the time that it takes at `limits.transferBytesPerSecond`: a peer that is slower for long uses the patience up.
 */
export class PeerPatience {
  readonly #stallMs: number
  #leftMs: number

  constructor(stallMs: number) {
    this.#stallMs = stallMs
    this.#leftMs = stallMs
  }

  /** Settles as `waiting` does, unless the patience is used up before; rejects with `impatience()` then. */
  async await<T>(waiting: Promise<T>, impatience: () => Error): Promise<T> {
    const lost = Promise.withResolvers<never>()
    const timer = setTimeout(() => lost.reject(impatience()), this.#leftMs)
    const sinceMs = performance.now()
    try {
      return await Promise.race([waiting, lost.promise])
    } finally {
      clearTimeout(timer)
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - sinceMs))
    }
  }

  earn(bytes: number): void {
    const earnedMs = (bytes / limits.transferBytesPerSecond) * 1000
    this.#leftMs = Math.min(this.#stallMs, this.#leftMs + earnedMs)
  }
}
