type Outcome<T> = { value: T } | { error: unknown }

/**
 * A promise that is waited for many times, each time until something else happens. `Promise.race` would keep a reaction
 * of each of these times for as long as the promise is pending.
 */
export class Pending<T> {
  #outcome: Outcome<T> | undefined
  #notify: () => void = () => {}

  constructor(promise: Promise<T>) {
    promise.then(
      (value) => this.#settle({ value }),
      (error: unknown) => this.#settle({ error }),
    )
  }

  /** Returns what the promise resolves to, or undefined when that takes longer. Throws what the promise rejects with. */
  async within(ms: number): Promise<T | undefined> {
    if (!this.#outcome) await this.#next(ms)
    const outcome = this.#outcome
    if (!outcome) return undefined
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  #next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#notify = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #settle(outcome: Outcome<T>): void {
    this.#outcome = outcome
    this.#notify()
  }
}
