import type { MemoryBudget, Release } from '../../budgets/memory-budget.ts'

/** What comes of one call, as memory: set aside as it grows, until the answer has gone out. */
export class CallMemory {
  readonly #memory: MemoryBudget
  readonly #accountId: string
  readonly #releases: Release[] = []
  #used = 0
  #granted = freeBytes

  constructor(memory: MemoryBudget, accountId: string) {
    this.#memory = memory
    this.#accountId = accountId
  }

  /** False when there is no room for so much more. */
  grow(bytes: number): boolean {
    const used = this.#used + bytes
    if (used > this.#granted) {
      const step = Math.max(used - this.#granted, stepBytes)
      const release = this.#memory.tryReserve(this.#accountId, step)
      if (!release) return false
      this.#releases.push(release)
      this.#granted += step
    }
    this.#used = used
    return true
  }

  release(): void {
    for (const release of this.#releases) release()
    this.#releases.length = 0
  }
}

/** Most calls need no more. */
const freeBytes = 256 * 1024
const stepBytes = 1024 * 1024
