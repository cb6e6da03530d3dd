/** Yields the items of an iterable until it is interrupted, also while it waits for one. */
export class Interruptible<T> implements AsyncIterable<T> {
  readonly #items: AsyncIterable<T>
  readonly #interrupted = new AbortController()
  #interruptWait: () => void = () => {}

  constructor(items: AsyncIterable<T>) {
    this.#items = items
  }

  /** Ends the iteration; with an error, it throws that. */
  interrupt(error?: Error): void {
    this.#interrupted.abort(error ?? null)
    this.#interruptWait()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    const items = this.#items[Symbol.asyncIterator]()
    const { signal } = this.#interrupted
    for (;;) {
      const next = signal.aborted ? undefined : await this.#orInterrupted(items.next())
      if (signal.aborted && signal.reason !== null) throw signal.reason as Error
      if (next === undefined || next.done) return
      yield next.value
    }
  }

  #orInterrupted<Result>(result: Promise<Result>): Promise<Result | undefined> {
    return new Promise((resolve, reject) => {
      this.#interruptWait = () => resolve(undefined)
      result.then(resolve, reject)
    })
  }
}
