/** The accounts' last known credit, in memory, so that a response can warn without asking the database. */
export class CreditWatch {
  readonly #lowMicros: number
  readonly #emptyMicros: number
  readonly #low = new Map<string, number>()
  readonly #openedAccounts = new Set<string>()
  /** Ids of processes and sandboxes that are about to be ended. */
  readonly ending = new Set<string>()

  constructor(marks: { lowBalanceMicros: number; overdraftMicros: number }) {
    this.#lowMicros = marks.lowBalanceMicros
    this.#emptyMicros = -marks.overdraftMicros
  }

  /** Records an account's balance. */
  update(accountId: string, balanceMicros: number): void {
    if (balanceMicros <= this.#lowMicros || balanceMicros <= this.#emptyMicros) this.#low.set(accountId, balanceMicros)
    else this.#low.delete(accountId)
  }

  /** Returns the balance of an account that is low; undefined otherwise. */
  low(accountId: string): number | undefined {
    return this.#low.get(accountId)
  }

  /** Returns whether an account has used up its credit and overdraft. */
  isEmpty(accountId: string): boolean {
    const balanceMicros = this.#low.get(accountId)
    return balanceMicros !== undefined && balanceMicros <= this.#emptyMicros
  }

  /** Forgets a deleted account. */
  forget(accountId: string): void {
    this.#low.delete(accountId)
    this.#openedAccounts.delete(accountId)
  }

  /** Returns whether `markOpened` was called for an account. */
  isOpened(accountId: string): boolean {
    return this.#openedAccounts.has(accountId)
  }

  /** Records that an account has had its first credit. */
  markOpened(accountId: string): void {
    this.#openedAccounts.add(accountId)
  }
}
