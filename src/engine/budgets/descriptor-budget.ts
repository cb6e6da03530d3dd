import { CarrelError } from '../../errors.ts'

/** The holders that descriptors are counted for; each one that is given has to have room. */
export interface Holders {
  /** The account of the connections, files and previews. */
  account?: string | undefined
  /** The computer of a preview. It and its visitors are limited apart from everything else of their account. */
  computer?: string | undefined
  /** The network of a visitor of a preview. */
  visitor?: string | undefined
  /** A connection before its first request says whose it is, by its network; undefined for the network of a proxy. */
  anonymous?: { network?: string | undefined } | undefined
}

/** Descriptors that are held until they are released. */
export interface Lease {
  /** A second call does nothing. */
  release: () => void
}

/** The shares of holders, precomputed. */
export interface Shares {
  readonly shares: readonly { readonly key: string; readonly part: number }[]
}

/**
 * Shares out the file descriptors of a program. No holder may hold more than a fraction of what is free: a single
 * holder gets many, many holders get fewer each, and some are always left for the next one. What the program itself
 * needs is reserved.
 */
export class DescriptorBudget {
  readonly total: number
  #held = 0
  readonly #heldBy = new Map<string, number>()

  /** @param limit how many the program may have open */
  constructor(limit: number) {
    this.total = limit - Math.max(Math.floor(limit / 8), Math.min(ownMin, Math.floor(limit / 2)))
  }

  get held(): number {
    return this.#held
  }

  /** Returns the shares of holders; callers keep the result where the same holders return often. */
  sharesOf({ account, computer, visitor, anonymous }: Holders): Shares {
    const shares: { key: string; part: number }[] = []
    if (account !== undefined) shares.push({ key: `account ${account}`, part: parts.account })
    if (computer !== undefined) {
      shares.push({ key: 'previews', part: parts.previews }, { key: `computer ${computer}`, part: parts.computer })
      if (account !== undefined) shares.push({ key: `previews of ${account}`, part: parts.previewsOfAccount })
    }
    if (visitor !== undefined) shares.push({ key: `visitor ${visitor}`, part: parts.visitor })
    if (anonymous) shares.push({ key: 'anonymous', part: parts.anonymous })
    if (anonymous?.network !== undefined)
      shares.push({ key: `anonymous ${anonymous.network}`, part: parts.anonymousNetwork })
    return { shares }
  }

  /** Returns whether each of the holders has room for `count` descriptors. */
  hasRoom({ shares }: Shares, count = 1): boolean {
    const free = this.total - this.#held
    if (count > free) return false
    for (const { key, part } of shares) {
      const held = this.#heldBy.get(key)
      // A holder that has none gets some as long as any are free.
      if (held !== undefined && held + count > free * part) return false
    }
    return true
  }

  /** Takes `count` descriptors; returns undefined when one of the holders has no room for them. */
  tryTake(holders: Shares, count = 1): Lease | undefined {
    if (!this.hasRoom(holders, count)) return undefined
    const { shares } = holders
    this.#held += count
    for (const { key } of shares) this.#heldBy.set(key, (this.#heldBy.get(key) ?? 0) + count)
    let isHeld = true
    return {
      release: () => {
        if (!isHeld) return
        isHeld = false
        this.#release(shares, count)
      },
    }
  }

  /**
   * Takes `count` descriptors. Throws `limit_reached` when the account itself has used up its share, and `no_capacity`
   * when others have; `doing` is the rest of the sentence after "Cannot".
   */
  take(doing: string, shares: Shares, count = 1): Lease {
    const lease = this.tryTake(shares, count)
    if (lease) return lease
    const isOwn = shares.shares.length === 1 && count <= this.total - this.#held
    if (isOwn)
      throw new CarrelError(
        'limit_reached',
        `Cannot ${doing}: the account has as many connections, files and processes open as it may have now`,
      )
    throw new CarrelError('no_capacity', `Cannot ${doing}: too many connections are open now`)
  }

  #release(shares: Shares['shares'], count: number): void {
    this.#held -= count
    for (const { key } of shares) {
      const left = this.#heldBy.get(key)! - count
      if (left > 0) this.#heldBy.set(key, left)
      else this.#heldBy.delete(key)
    }
  }
}

/**
 * Fractions of what is free. A single holder gets part / (1 + part) of all: an account a quarter, a visitor a
 * thirteenth.
 */
const parts = {
  account: 1 / 3,
  /** All previews together. */
  previews: 1,
  /** The owner of overrun sites must still be able to reach them. */
  previewsOfAccount: 1 / 5,
  computer: 1 / 6,
  visitor: 1 / 12,
  anonymous: 1 / 3,
  anonymousNetwork: 1 / 8,
} as const

/** For the database, the driver, the programs that the driver starts, and what those leave open briefly. */
const ownMin = 128
