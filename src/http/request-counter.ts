/** The result of counting a request. */
export interface Counted {
  limit: number
  remaining: number
  /** When the full limit is available again, in Unix milliseconds. */
  resetAtMs: number
  /** True when the request exceeds the limit. */
  isOver: boolean
}

interface Window {
  count: number
  endsAtMs: number
}

/**
 * Counts the requests of each key within a minute that begins with its first request. Needs no timer, and keeps at most
 * `maxKeys`: windows that are over are dropped as new keys arrive, and beyond the limit the oldest window is dropped,
 * which lets its key start anew.
 */
export class RequestCounter {
  readonly #limit: number
  readonly #maxKeys: number
  /** By key, in the order in which they end. */
  readonly #windows = new Map<string, Window>()

  constructor(limit: number, maxKeys = 100_000) {
    this.#limit = limit
    this.#maxKeys = maxKeys
  }

  get keys(): number {
    return this.#windows.size
  }

  count(key: string, now: number = Date.now()): Counted {
    const window = this.#current(key, now)
    window.count++
    return this.#counted(window, window.count)
  }

  /** Returns what `count` would, without counting. */
  foresee(key: string, now: number = Date.now()): Counted {
    const window = this.#windows.get(key)
    const isCurrent = window !== undefined && now < window.endsAtMs && window.endsAtMs <= now + windowMs
    return this.#counted(isCurrent ? window : { count: 0, endsAtMs: now + windowMs }, isCurrent ? window.count + 1 : 1)
  }

  #counted({ endsAtMs }: Window, count: number): Counted {
    return {
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - count),
      resetAtMs: endsAtMs,
      isOver: count > this.#limit,
    }
  }

  #current(key: string, now: number): Window {
    const found = this.#windows.get(key)
    // A window that ends later than this was opened before the clock was set back.
    if (found && now < found.endsAtMs && found.endsAtMs <= now + windowMs) return found
    this.#windows.delete(key)
    this.#forget(now)
    const window = { count: 0, endsAtMs: now + windowMs }
    this.#windows.set(key, window)
    return window
  }

  #forget(now: number): void {
    for (const [key, { endsAtMs }] of this.#windows) {
      if (endsAtMs > now && this.#windows.size < this.#maxKeys) return
      this.#windows.delete(key)
    }
  }
}

const windowMs = 60_000
