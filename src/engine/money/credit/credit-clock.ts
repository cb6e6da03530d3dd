import { limits } from '../../../config/limits.ts'
import type { Price } from '../../../config/price-book.ts'
import type { ComputeMeter } from '../usage/compute-meter.ts'

interface Parts {
  meter: Pick<ComputeMeter, 'spending'>
  price: Price
  /** How often every account is checked anyway. */
  everyMs: number
  /** Checks whether an account can still pay. */
  check: (accountId: string) => void
}

/**
 * Checks an account at the time at which its credit ends, or falls to the warning threshold, computed from what is left
 * and how many of its computers run. When a check finds fewer computers running than possible, more credit is left, and
 * the next check is scheduled in the same way. Works in memory, with at most one timer for each account whose credit
 * can end before the next periodic check.
 */
export class CreditClock {
  readonly #parts: Parts
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Sets an account's timer. `leftMicros` is what may be spent until the check, less running usage that is not charged
   * yet.
   */
  set(accountId: string, leftMicros: number): void {
    const { meter, price, everyMs, check } = this.#parts
    clearTimeout(this.#timers.get(accountId))
    this.#timers.delete(accountId)
    const { certain, possible } = meter.spending(accountId)
    if (this.#closed || price.micros === 0 || certain + possible === 0) return
    const lastsMs = (leftMicros * price.per) / price.micros / (certain + possible)
    if (lastsMs > everyMs) return
    const waitMs = Math.max(lastsMs, certain > 0 ? limits.creditTickMs : limits.unattendedTickMs)
    const timer = setTimeout(() => {
      this.#timers.delete(accountId)
      check(accountId)
    }, waitMs).unref()
    this.#timers.set(accountId, timer)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
