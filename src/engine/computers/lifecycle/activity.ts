/**
 * When each computer was last used, and what uses it now. Kept in memory: after a restart every computer counts as just
 * used.
 */
export class Activity {
  readonly #open = new Map<string, number>()
  readonly #last = new Map<string, number>()
  readonly #ending = new Set<string>()

  /** Counts the computer as used until the returned function is called. */
  begin(computerId: string): () => void {
    this.#open.set(computerId, (this.#open.get(computerId) ?? 0) + 1)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const others = (this.#open.get(computerId) ?? 1) - 1
      if (others > 0) this.#open.set(computerId, others)
      else this.#open.delete(computerId)
      this.touch(computerId)
    }
  }

  touch(computerId: string): void {
    this.#last.set(computerId, Date.now())
  }

  inUse(computerId: string): boolean {
    return this.#open.has(computerId)
  }

  lastUsedAtMs(computerId: string): number | undefined {
    return this.#last.get(computerId)
  }

  /**
   * Marks the computer's lease as ending, so that later callers wait for the computer's lock. Returns false when
   * something uses the computer.
   */
  beginEnding(computerId: string): boolean {
    if (this.inUse(computerId)) return false
    this.#ending.add(computerId)
    return true
  }

  ended(computerId: string): void {
    this.#ending.delete(computerId)
  }

  isEnding(computerId: string): boolean {
    return this.#ending.has(computerId)
  }

  forget(computerId: string): void {
    this.#last.delete(computerId)
  }
}
