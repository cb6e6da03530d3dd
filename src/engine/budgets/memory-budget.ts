import { CarrelError } from '../../errors.ts'
import { RoundRobin } from '../../round-robin.ts'

interface Options {
  /** Maximum held at a time by all accounts. A larger reservation is admitted while nothing else is held. */
  totalBytes: number
  /** Maximum held at a time by one account, with the same exception. */
  accountBytes: number
  /** Maximum length of an account's queue. */
  maxWaiting: number
  maxWaitMs: number
}

interface Waiting {
  bytes: number
  admit: () => void
}

/** Releases a reservation; a second call does nothing. */
export type Release = () => void

/**
 * Shares out the memory that large requests and answers may use: each reserves what it needs before it is read. Those
 * without room wait, each account in its own queue, and the queues take turns.
 */
export class MemoryBudget {
  readonly #options: Options
  readonly #held = new Map<string, number>()
  #heldBytes = 0
  readonly #waiting = new RoundRobin<Waiting>()

  constructor(options: Options) {
    this.#options = options
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Resolves when there is room. Throws `limit_reached` when the account's queue is full, and `no_capacity` when there
   * is no room within `maxWaitMs`.
   */
  async reserve(accountId: string, bytes: number): Promise<Release> {
    if (this.#waiting.waitingOf(accountId) === 0 && this.#fits(accountId, bytes)) return this.#take(accountId, bytes)
    const { maxWaiting, maxWaitMs } = this.#options
    if (this.#waiting.waitingOf(accountId) >= maxWaiting)
      throw new CarrelError(
        'limit_reached',
        `Cannot handle the request: ${maxWaiting} large requests and answers of this account are waiting already`,
        { details: { limit: maxWaiting } },
      )
    const { promise, resolve } = Promise.withResolvers<Release | undefined>()
    const waiting = { bytes, admit: () => resolve(this.#take(accountId, bytes)) }
    this.#waiting.push(accountId, waiting)
    const timer = setTimeout(() => {
      this.#waiting.remove(accountId, waiting)
      resolve(undefined)
      this.#admit()
    }, maxWaitMs)
    const release = await promise
    clearTimeout(timer)
    if (release) return release
    throw new CarrelError('no_capacity', 'Cannot handle the request: too many large ones are being answered now')
  }

  /** Reserves memory without waiting; returns undefined when there is no room now. */
  tryReserve(accountId: string, bytes: number): Release | undefined {
    return this.#fits(accountId, bytes) ? this.#take(accountId, bytes) : undefined
  }

  /** Counts memory that is in use already, whether there is room or not. */
  count(accountId: string, bytes: number): Release {
    return this.#take(accountId, bytes)
  }

  #fits(accountId: string, bytes: number): boolean {
    const { totalBytes } = this.#options
    return this.#fitsAccount(accountId, bytes) && (this.#heldBytes === 0 || this.#heldBytes + bytes <= totalBytes)
  }

  #fitsAccount(accountId: string, bytes: number): boolean {
    const held = this.#held.get(accountId) ?? 0
    return held === 0 || held + bytes <= this.#options.accountBytes
  }

  #take(accountId: string, bytes: number): Release {
    this.#add(accountId, bytes)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#add(accountId, -bytes)
      this.#admit()
    }
  }

  #add(accountId: string, bytes: number): void {
    const held = (this.#held.get(accountId) ?? 0) + bytes
    if (held === 0) this.#held.delete(accountId)
    else this.#held.set(accountId, held)
    this.#heldBytes += bytes
  }

  #admit(): void {
    for (;;) {
      let isFull = false
      const next = this.#waiting.shift((waiting, accountId) => {
        if (isFull || !this.#fitsAccount(accountId, waiting.bytes)) return false
        // The next in turn waits for room in the total; smaller ones behind it do not overtake it forever.
        isFull = !this.#fits(accountId, waiting.bytes)
        return !isFull
      })
      if (!next) return
      next.admit()
    }
  }
}
