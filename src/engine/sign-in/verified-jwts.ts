import { hashOf } from '../accounts/tokens.ts'

/**
 * Remembers whose JWTs were verified, up to their end: a signature costs more to check than the rest of a request. What can be
 * revoked is looked up each time all the same. The oldest goes when there are 10,000.
 */
export class VerifiedJwts<T extends { expiresAtMs: number }> {
  readonly #known = new Map<string, T>()

  /** Rejects as `verify` does; what was refused is not remembered. */
  async get(token: string, verify: (token: string) => Promise<T>): Promise<T> {
    const hash = hashOf(token)
    const known = this.#known.get(hash)
    if (known && known.expiresAtMs > Date.now()) return known
    this.#known.delete(hash)
    const verified = await verify(token)
    if (this.#known.size >= mostKnown) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(hash, verified)
    return verified
  }
}

const mostKnown = 10_000
