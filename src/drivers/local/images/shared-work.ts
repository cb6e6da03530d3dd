/** Work by key: a call for work that is in progress gets its result, and its progress from then on. */
export class SharedWork<Progress, Result> {
  readonly #running = new Map<string, { listeners: Set<(progress: Progress) => void>; result: Promise<Result> }>()

  share(
    key: string,
    listener: (progress: Progress) => void,
    work: (report: (progress: Progress) => void) => Promise<Result>,
  ): Promise<Result> {
    const running = this.#running.get(key)
    if (running) {
      running.listeners.add(listener)
      return running.result
    }
    const listeners = new Set([listener])
    const result = work((progress) => {
      for (const notify of listeners) notify(progress)
    }).finally(() => this.#running.delete(key))
    this.#running.set(key, { listeners, result })
    return result
  }
}
