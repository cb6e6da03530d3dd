/** What ends at the end of a suite: one whose hooks call `after()` would end it with the hook. */
export class Cleanup {
  readonly #ends: (() => Promise<unknown> | void)[] = []

  after(end: () => Promise<unknown> | void): void {
    this.#ends.push(end)
  }

  /** Ends everything, in the order in which it was added, as `node:test` does. */
  async run(): Promise<void> {
    for (const end of this.#ends) await end()
  }
}
