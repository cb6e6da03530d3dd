/** Runs work on the same key one after the other, in order of arrival; work on different keys runs concurrently. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** @param key a text, or several that are the key together */
  run<T>(key: string | readonly string[], work: () => Promise<T>): Promise<T> {
    const name = typeof key === 'string' ? key : JSON.stringify(key)
    const before = this.#tails.get(name) ?? Promise.resolve()
    const result = before.then(work, work)
    const tail = result
      .catch(() => {})
      .finally(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    this.#tails.set(name, tail)
    return result
  }
}
