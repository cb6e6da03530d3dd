import type { MemoryBudget, Release } from '../../budgets/memory-budget.ts'

/** The memory that the outcome of one call takes, reserved as it grows, until the response has been sent. */
export class CallMemory {
  readonly #memory: MemoryBudget
  readonly #accountId: string
  readonly #releases: Release[] = []
  #used = 0
  #reserved = freeBytes

  constructor(memory: MemoryBudget, accountId: string) {
    this.#memory = memory
    this.#accountId = accountId
  }

  /** Reserves more bytes. Returns false when the budget has no room for them. */
  grow(bytes: number): boolean {
    const used = this.#used + bytes
    if (used > this.#reserved) {
      const step = Math.max(used - this.#reserved, stepBytes)
      const release = this.#memory.tryReserve(this.#accountId, step)
      if (!release) return false
      this.#releases.push(release)
      this.#reserved += step
    }
    this.#used = used
    return true
  }

  release(): void {
    for (const release of this.#releases) release()
    this.#releases.length = 0
  }
}

/** What a call may use without a reservation. Most calls need no more. */
const freeBytes = 256 * 1024
const stepBytes = 1024 * 1024
