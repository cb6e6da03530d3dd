/** What challenges are made with, of payments and of wallets that sign in. */
export class MachinePayments {
  readonly secret: string
  readonly #origin: () => string

  constructor(secret: string, origin: () => string) {
    this.secret = secret
    this.#origin = origin
  }

  /** Whom clients pay or sign in to. From the server's own address: a request can call it anything. */
  get realm(): string {
    return new URL(this.#origin()).host
  }
}
