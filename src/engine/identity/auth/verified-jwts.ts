import { hashOf } from '../accounts/tokens.ts'

interface Verified<T> {
  claims: T
  /** After this time, in Unix milliseconds, the token is verified again. */
  untilMs: number
}

/**
 * Caches the claims of verified JWTs: verifying a signature costs more than the rest of a request. Revocations are
 * still looked up each time. Holds up to 10,000; the oldest is dropped first.
 */
export class VerifiedJwts<T> {
  readonly #known = new Map<string, Verified<T>>()
  readonly #now: () => number

  /** @param now returns Unix milliseconds; for tests */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Returns the claims of a token. Throws as `verify` does; refusals are not cached. */
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
