import { limits } from '../../../config/limits.ts'
import type { Price } from '../../../config/price-book.ts'
import type { ComputeMeter } from '../usage/compute-meter.ts'

interface Parts {
  meter: Pick<ComputeMeter, 'spending'>
  price: Price
  /** Accounts are looked at so often anyway. */
  everyMs: number
  /** Looks whether an account can still pay. */
  look: (accountId: string) => void
}

/**
 * Has an account looked at in the moment in which its credit ends, or comes to where it is warned, by what is left
 * until then and how many of its computers run. The fewer of those that might are found to do, the more is left then,
 * and the look after it is set in the same way. In memory, and no more than a timer for each account whose credit may
 * end before it is looked at anyway.
 */
export class CreditClock {
  readonly #parts: Parts
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `leftMicros` is what may be spent until then, without what runs and is not charged yet. */
  set(accountId: string, leftMicros: number): void {
    const { meter, price, everyMs, look } = this.#parts
    clearTimeout(this.#timers.get(accountId))
    this.#timers.delete(accountId)
    const { certain, possible } = meter.spending(accountId)
    if (this.#closed || price.micros === 0 || certain + possible === 0) return
    const lastsMs = (leftMicros * price.per) / price.micros / (certain + possible)
    if (lastsMs > everyMs) return
    const waitMs = Math.max(lastsMs, certain > 0 ? limits.creditTickMs : limits.unattendedTickMs)
    const timer = setTimeout(() => {
      this.#timers.delete(accountId)
      look(accountId)
    }, waitMs).unref()
    this.#timers.set(accountId, timer)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
