import type { NetworkSlot, Slots } from './slots.ts'

/** Highest slot of a network: 10.213.0.1 to 10.213.253.232. */
const lastSlot = 65_000

/**
 * Keeps some slots ready, since making one takes longer than starting a computer. Refills in the background, one at
 * a time; an empty pool makes one on the spot.
 */
export class SlotPool {
  readonly #slots: Slots
  readonly #size: number
  readonly #ready: NetworkSlot[] = []
  readonly #used = new Set<number>()
  #next = 1
  #refilling: Promise<void> | undefined
  #closed = false

  constructor(slots: Slots, size: number) {
    this.#slots = slots
    this.#size = size
  }

  get ready(): number {
    return this.#ready.length
  }

  /** Marks a slot that a computer already has. */
  claim(number: number): void {
    this.#used.add(number)
  }

  async take(): Promise<NetworkSlot> {
    const slot = this.#ready.pop() ?? (await this.#make())
    // Not now: it would compete with the start that takes this one.
    setTimeout(() => this.refill(), refillDelayMs).unref()
    return slot
  }

  /** A slot that was used is never given to another computer: its namespaces go. */
  async release(number: number): Promise<void> {
    await this.#slots.remove(number)
    this.#used.delete(number)
  }

  refill(): void {
    this.#refilling ??= this.#fill().finally(() => {
      this.#refilling = undefined
    })
  }

  /** Removes the slots that wait; those in use stay. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#refilling
    await Promise.all(this.#ready.splice(0).map(({ number }) => this.release(number)))
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length < this.#size) {
      try {
        this.#ready.push(await this.#make())
      } catch {
        // `take` will meet the same fault and tell its caller.
        return
      }
    }
  }

  /** A server that was killed may have left a program that is still at work on the same slot: another number is tried then. */
  async #make(): Promise<NetworkSlot> {
    for (let attempt = 1; ; attempt++) {
      const number = this.#freeNumber()
      this.#used.add(number)
      try {
        return await this.#slots.make(number)
      } catch (error) {
        await this.release(number)
        if (attempt === maxAttempts) throw error
      }
    }
  }

  #freeNumber(): number {
    while (this.#used.has(this.#next)) this.#next = (this.#next % lastSlot) + 1
    const number = this.#next
    this.#next = (this.#next % lastSlot) + 1
    return number
  }
}

const refillDelayMs = 100
const maxAttempts = 3
