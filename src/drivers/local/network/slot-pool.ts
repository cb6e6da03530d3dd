import type { NetworkSlot, Slots } from './slots.ts'

/** The highest slot of a network: addresses are 10.213.0.1 to 10.213.253.232. */
const lastSlot = 65_000

/**
 * Keeps slots ready, since creating one takes longer than starting a computer. Refills in the background, one at a
 * time; an empty pool creates a slot on demand.
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

  /** Marks a slot as used. */
  claim(number: number): void {
    this.#used.add(number)
  }

  async take(): Promise<NetworkSlot> {
    const slot = this.#ready.pop() ?? (await this.#create())
    // Delayed, as a refill would compete with the start that takes this slot.
    setTimeout(() => this.refill(), refillDelayMs).unref()
    return slot
  }

  /** Removes a slot with its namespaces: a used slot is never given to another computer. */
  async release(number: number): Promise<void> {
    await this.#slots.remove(number)
    this.#used.delete(number)
  }

  refill(): void {
    this.#refilling ??= this.#fill().finally(() => {
      this.#refilling = undefined
    })
  }

  /** Removes the slots that are ready. Those in use stay. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#refilling
    await Promise.all(this.#ready.splice(0).map(({ number }) => this.release(number)))
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length < this.#size) {
      try {
        this.#ready.push(await this.#create())
      } catch {
        // `take` fails in the same way and reports the error to its caller.
        return
      }
    }
  }

  /** Tries several numbers, as a program of a server that was killed may still be working on the first. */
  async #create(): Promise<NetworkSlot> {
    for (let attempt = 1; ; attempt++) {
      const number = this.#freeNumber()
      this.#used.add(number)
      try {
        return await this.#slots.create(number)
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
