/** What challenges are created with, for payments and for signing in by a wallet. */
export class MachinePayments {
  readonly secret: string
  readonly #origin: () => string

  constructor(secret: string, origin: () => string) {
    this.secret = secret
    this.#origin = origin
  }

  /** The party that clients pay or sign in to. Uses the configured address, since a request can name any. */
  get realm(): string {
    return new URL(this.#origin()).host
  }
}
