import { hashOf } from '../accounts/tokens.ts'

interface Verified<T> {
  claims: T
  /** From then on it is verified again. */
  untilMs: number
}

/**
 * Remembers what JWTs say that were verified: a signature costs more to check than the rest of a request. What can be revoked is looked
 * up each time all the same. The oldest goes when there are 10,000.
 */
export class VerifiedJwts<T> {
  readonly #known = new Map<string, Verified<T>>()
  readonly #now: () => number

  /** @param now Unix milliseconds; for tests */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Rejects as `verify` does; what was refused is not remembered. */
  async get(token: string, verify: () => Promise<Verified<T>>): Promise<T> {
    const hash = hashOf(token)
    const known = this.#known.get(hash)
    if (known && known.untilMs > this.#now()) return known.claims
    this.#known.delete(hash)
    const verified = await verify()
    if (this.#known.size >= maxKnown) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(hash, verified)
    return verified.claims
  }

  forgetAll(): void {
    this.#known.clear()
  }
}

const maxKnown = 10_000
