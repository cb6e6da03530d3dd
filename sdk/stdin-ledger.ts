/** Unconfirmed input beyond this many bytes makes a writer wait. */
const windowBytes = 4 * 1024 * 1024

/**
 * Counts input in transit. A WebSocket answers pings in order, so the answer to a ping confirms that the server has
 * read all bytes sent before it.
 */
export class StdinLedger {
  #sentBytes = 0
  #confirmedBytes = 0
  #waiting: (() => void)[] = []

  get sentBytes(): number {
    return this.#sentBytes
  }

  get settled(): boolean {
    return this.#sentBytes === this.#confirmedBytes
  }

  add(bytes: number): void {
    this.#sentBytes += bytes
  }

  confirm(sentBytes: number): void {
    if (!(sentBytes > this.#confirmedBytes)) return
    this.#confirmedBytes = sentBytes
    this.release()
  }

  /** Resolves when there is room for more, or at once on `release`. */
  async room(): Promise<void> {
    if (this.#sentBytes - this.#confirmedBytes < windowBytes) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
