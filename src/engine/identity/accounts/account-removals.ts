/** Tells whatever holds something open for an account, such as a connection, that the account goes. */
export class AccountRemovals {
  readonly #listeners: ((accountId: string) => void)[] = []

  /** A listener must not throw; it may be told of the same account more than once. */
  on(listener: (accountId: string) => void): void {
    this.#listeners.push(listener)
  }

  notify(accountId: string): void {
    for (const listener of this.#listeners) listener(accountId)
  }
}
