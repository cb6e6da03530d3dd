import { limits } from '../../config/limits.ts'

interface Sizes {
  keys: number
  bytes: number
}

/**
 * Counts each account's idempotency keys and the bytes of their stored responses, in memory. A periodic count in the
 * database corrects the numbers.
 */
export class ResponseSizes {
  readonly #accounts = new Map<string, Sizes>()

  /** Replaces all numbers by a count. */
  reset(all: Iterable<Sizes & { accountId: string }>): void {
    this.#accounts.clear()
    for (const { accountId, keys, bytes } of all) this.#accounts.set(accountId, { keys, bytes })
  }

  /** Adds to an account's numbers; negative numbers subtract. */
  add(accountId: string, more: Partial<Sizes>): void {
    const { keys, bytes } = this.#of(accountId)
    const grown = { keys: keys + (more.keys ?? 0), bytes: bytes + (more.bytes ?? 0) }
    if (grown.keys > 0) this.#accounts.set(accountId, grown)
    else this.#accounts.delete(accountId)
  }

  /**
   * Returns what has to be dropped of an account that is over a limit, down to seven eighths of the limit, so that
   * there is room again for a while; 0 while it is within the limit.
   */
  surplus(accountId: string): Sizes {
    const { keys, bytes } = this.#of(accountId)
    return {
      keys: over(keys, limits.idempotencyKeysPerAccount),
      bytes: over(bytes, limits.idempotentBytesPerAccount),
    }
  }

  #of(accountId: string): Sizes {
    return this.#accounts.get(accountId) ?? { keys: 0, bytes: 0 }
  }
}

function over(count: number, limit: number): number {
  return count > limit ? count - Math.floor((limit * 7) / 8) : 0
}
