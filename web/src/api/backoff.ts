/** The waiting times between attempts: twice as long each time, with jitter. */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  #attempts = 0

  constructor({ firstMs = 500, maxMs = 15_000 } = {}) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
  }

  /** Returns how long to wait before the next attempt, in milliseconds. */
  nextMs(random = Math.random()): number {
    const fullMs = Math.min(this.#firstMs * 2 ** this.#attempts, this.#maxMs)
    this.#attempts += 1
    return fullMs * (0.75 + random / 4)
  }

  /** An attempt succeeded: the next failure waits for the first time again. */
  reset(): void {
    this.#attempts = 0
  }
}
