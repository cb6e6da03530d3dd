/** What was last seen of the accounts' credit, so that an answer can warn without another look. In memory. */
export class CreditWatch {
  readonly #lowMicros: number
  readonly #emptyMicros: number
  readonly #low = new Map<string, number>()
  readonly #opened = new Set<string>()
  /** Ids of processes and sandboxes that are going to be ended in a moment. */
  readonly ending = new Set<string>()

  constructor(marks: { lowBalanceMicros: number; overdraftMicros: number }) {
    this.#lowMicros = marks.lowBalanceMicros
    this.#emptyMicros = -marks.overdraftMicros
  }

  update(accountId: string, balanceMicros: number): void {
    if (balanceMicros <= this.#lowMicros || balanceMicros <= this.#emptyMicros) this.#low.set(accountId, balanceMicros)
    else this.#low.delete(accountId)
  }

  /** What is left when that is little; undefined otherwise. */
  low(accountId: string): number | undefined {
    return this.#low.get(accountId)
  }

  isEmpty(accountId: string): boolean {
    const balanceMicros = this.#low.get(accountId)
    return balanceMicros !== undefined && balanceMicros <= this.#emptyMicros
  }

  /** An account that is no more. */
  forget(accountId: string): void {
    this.#low.delete(accountId)
    this.#opened.delete(accountId)
  }

  isOpened(accountId: string): boolean {
    return this.#opened.has(accountId)
  }

  /** Its first credit was given, or had been before. */
  markOpened(accountId: string): void {
    this.#opened.add(accountId)
  }
}
