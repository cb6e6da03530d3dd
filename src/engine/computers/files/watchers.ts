import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'

/** How many watches are open, of each account and in all. */
export class Watchers {
  readonly #open = new Map<string, number>()
  #all = 0

  /** Counts one more, until the returned function is called. Throws `limit_reached`, or `no_capacity` for the server. */
  enter(accountId: string): () => void {
    const own = this.#open.get(accountId) ?? 0
    if (own >= limits.watchesPerAccount) {
      throw new CarrelError(
        'limit_reached',
        `Cannot watch more files: the account has ${limits.watchesPerAccount} open watches, which is its limit`,
        { details: { limit: limits.watchesPerAccount } },
      )
    }
    if (this.#all >= limits.watchesTotal)
      throw new CarrelError(
        'no_capacity',
        `Cannot watch more files: the server has ${limits.watchesTotal} open watches, which is its limit`,
        { details: { limit: limits.watchesTotal } },
      )
    this.#open.set(accountId, own + 1)
    this.#all++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#all--
      const others = this.#open.get(accountId)! - 1
      if (others > 0) this.#open.set(accountId, others)
      else this.#open.delete(accountId)
    }
  }
}
