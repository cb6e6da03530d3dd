import { CarrelError } from '../../errors.ts'
import { RoundRobin } from '../../round-robin.ts'

interface Options {
  /** Held at a time in all, and for one account. One that is larger than that is let in alone. */
  totalBytes: number
  accountBytes: number
  /** How long the line of one account may get. */
  maxWaiting: number
  /** How long anybody waits. */
  patienceMs: number
}

interface Waiting {
  bytes: number
  enter: () => void
}

/** Gives back what was set aside; a second call does nothing. */
export type Release = () => void

/**
 * What large requests and answers may take of the server's memory: each sets aside what it needs before it is read. The others wait,
 * each account in a line of its own, and the lines take turns.
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
   * Resolves when there is room. Rejects with `limit_reached` when too much of the account waits already, and with `no_capacity` when
   * there was none for long.
   */
  async reserve(accountId: string, bytes: number): Promise<Release> {
    if (this.#waiting.waitingOf(accountId) === 0 && this.#fits(accountId, bytes)) return this.#take(accountId, bytes)
    const { maxWaiting, patienceMs } = this.#options
    if (this.#waiting.waitingOf(accountId) >= maxWaiting)
      throw new CarrelError(
        'limit_reached',
        `Cannot handle the request: ${maxWaiting} large requests and answers of this account wait already`,
        { details: { limit: maxWaiting } },
      )
    const { promise, resolve } = Promise.withResolvers<Release | undefined>()
    const waiting = { bytes, enter: () => resolve(this.#take(accountId, bytes)) }
    this.#waiting.push(accountId, waiting)
    const timer = setTimeout(() => {
      this.#waiting.remove(accountId, waiting)
      resolve(undefined)
      this.#letIn()
    }, patienceMs)
    const release = await promise
    clearTimeout(timer)
    if (release) return release
    throw new CarrelError('no_capacity', 'Cannot handle the request: too many large ones are being answered just now')
  }

  /** The same without waiting: undefined when there is no room now. */
  tryReserve(accountId: string, bytes: number): Release | undefined {
    return this.#fits(accountId, bytes) ? this.#take(accountId, bytes) : undefined
  }

  /** Counts what is in memory already, whether there is room or not. */
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
      this.#letIn()
    }
  }

  #add(accountId: string, bytes: number): void {
    const held = (this.#held.get(accountId) ?? 0) + bytes
    if (held === 0) this.#held.delete(accountId)
    else this.#held.set(accountId, held)
    this.#heldBytes += bytes
  }

  #letIn(): void {
    for (;;) {
      let isFull = false
      const next = this.#waiting.shift((waiting, accountId) => {
        if (isFull || !this.#fitsAccount(accountId, waiting.bytes)) return false
        // Whose turn it is waits for room in all; smaller ones do not pass it for ever.
        isFull = !this.#fits(accountId, waiting.bytes)
        return !isFull
      })
      if (!next) return
      next.enter()
    }
  }
}
