import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'

/** Counts the streams that each account has open. */
export class OpenStreams {
  readonly #ofAccount = new Map<string, number>()

  /** Counts a stream until the returned function is called, once. Throws `limit_reached`. */
  open(accountId: string): () => void {
    const open = this.#ofAccount.get(accountId) ?? 0
    const limit = limits.gatewayStreamsPerAccount
    if (open >= limit)
      throw new CarrelError(
        'limit_reached',
        `Cannot open another stream: the account has ${limit}, which is the limit`,
        {
          details: { limit },
        },
      )
    this.#ofAccount.set(accountId, open + 1)
    return () => {
      const left = this.#ofAccount.get(accountId)! - 1
      if (left > 0) this.#ofAccount.set(accountId, left)
      else this.#ofAccount.delete(accountId)
    }
  }
}
