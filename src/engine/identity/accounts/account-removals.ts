/** Notifies holders of an account's resources, such as connections, that the account is deleted. */
export class AccountRemovals {
  readonly #listeners: ((accountId: string) => void)[] = []

  /** Adds a listener. It must not throw, and can be called more than once for an account. */
  on(listener: (accountId: string) => void): void {
    this.#listeners.push(listener)
  }

  notify(accountId: string): void {
    for (const listener of this.#listeners) listener(accountId)
  }
}
