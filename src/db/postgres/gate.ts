import { KeyedLock } from '../../keyed-lock.ts'

/** Holds back new work while other work is to go on undisturbed. */
export class Gate {
  readonly #turns = new KeyedLock()
  #closed: Promise<unknown> | undefined

  /** Resolves when the gate is open. */
  async pass(): Promise<void> {
    while (this.#closed) await this.#closed
  }

  /** Runs work with the gate closed: one such work at a time, in order of arrival. */
  whileClosed<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turns.run('', work)
    const closed = result
      .catch(() => {})
      .finally(() => {
        if (this.#closed === closed) this.#closed = undefined
      })
    this.#closed = closed
    return result
  }
}
