import { limits } from '../../config/limits.ts'

interface Kept {
  keys: number
  bytes: number
}

/** How many keys each account has, and what their answers take. Counted in memory as they come; each look at the database corrects it. */
export class ResponseCache {
  readonly #accounts = new Map<string, Kept>()

  /** Begins anew with what there is. */
  reset(all: Iterable<Kept & { accountId: string }>): void {
    this.#accounts.clear()
    for (const { accountId, keys, bytes } of all) this.#accounts.set(accountId, { keys, bytes })
  }

  /** Negative numbers take away. */
  add(accountId: string, more: Partial<Kept>): void {
    const { keys, bytes } = this.#of(accountId)
    const grown = { keys: keys + (more.keys ?? 0), bytes: bytes + (more.bytes ?? 0) }
    if (grown.keys > 0) this.#accounts.set(accountId, grown)
    else this.#accounts.delete(accountId)
  }

  /** What an account has too much of: so that there is room again for a while, an eighth more than it is over. */
  surplus(accountId: string): Kept {
    const { keys, bytes } = this.#of(accountId)
    return {
      keys: over(keys, limits.idempotencyKeysPerAccount),
      bytes: over(bytes, limits.idempotentBytesPerAccount),
    }
  }

  #of(accountId: string): Kept {
    return this.#accounts.get(accountId) ?? { keys: 0, bytes: 0 }
  }
}

function over(count: number, limit: number): number {
  return count > limit ? count - Math.floor((limit * 7) / 8) : 0
}
