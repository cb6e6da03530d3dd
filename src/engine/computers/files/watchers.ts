import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'

/** Counts the open watches, of each account and in total. */
export class Watchers {
  readonly #open = new Map<string, number>()
  #total = 0

  /**
   * Counts a watch as open until the returned function is called. Throws `limit_reached` for the account's limit, and
   * `no_capacity` for the server's.
   */
  begin(accountId: string): () => void {
    const own = this.#open.get(accountId) ?? 0
    if (own >= limits.watchesPerAccount) {
      throw new CarrelError(
        'limit_reached',
        `Cannot watch more files: the account has ${limits.watchesPerAccount} open watches, which is its limit`,
        { details: { limit: limits.watchesPerAccount } },
      )
    }
    if (this.#total >= limits.watchesTotal)
      throw new CarrelError(
        'no_capacity',
        `Cannot watch more files: the server has ${limits.watchesTotal} open watches, which is its limit`,
        { details: { limit: limits.watchesTotal } },
      )
    this.#open.set(accountId, own + 1)
    this.#total++
    let hasEnded = false
    return () => {
      if (hasEnded) return
      hasEnded = true
      this.#total--
      const others = this.#open.get(accountId)! - 1
      if (others > 0) this.#open.set(accountId, others)
      else this.#open.delete(accountId)
    }
  }
}
