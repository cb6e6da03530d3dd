import { CarrelError } from '../../errors.ts'

/** Who holds descriptors; each that is named has to have room. */
export interface Holders {
  /** Whose they are: an account's connections, files and previews. */
  account?: string | undefined
  /** The computer that a preview is of. It and its visitors are bounded apart from all else of their account. */
  computer?: string | undefined
  /** The network that a visitor of a preview comes from. */
  visitor?: string | undefined
  /** A connection before its first request says whose it is, by its network; undefined for the network of a proxy. */
  anonymous?: { network?: string | undefined } | undefined
}

/** Descriptors that are held until they are given back. */
export interface Lease {
  /** A second call does nothing. */
  release: () => void
}

/** Holders as the budget knows them. */
export interface Shares {
  readonly shares: readonly { readonly key: string; readonly part: number }[]
}

/**
 * The file descriptors of a program, shared out. Nobody may hold more than a part of what is left: who is alone gets much, many get less
 * each, and for who comes next there is always something. What the program itself needs is set aside.
 */
export class DescriptorBudget {
  readonly total: number
  #held = 0
  readonly #heldBy = new Map<string, number>()

  /** @param limit how many the program may have open */
  constructor(limit: number) {
    this.total = limit - Math.max(Math.floor(limit / 8), Math.min(ownLeast, Math.floor(limit / 2)))
  }

  get held(): number {
    return this.#held
  }

  /** To be kept where the same holders come again and again. */
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

  hasRoom({ shares }: Shares, count = 1): boolean {
    const free = this.total - this.#held
    if (count > free) return false
    for (const { key, part } of shares) {
      const held = this.#heldBy.get(key)
      // Who has none gets some as long as there are any.
      if (held !== undefined && held + count > free * part) return false
    }
    return true
  }

  /** undefined when one of the holders has no room for so many. */
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
   * The same, or a refusal that begins with what was to be done: `no_capacity` where strangers used up what there is, `limit_reached` where
   * the account itself did.
   */
  take(doing: string, shares: Shares, count = 1): Lease {
    const lease = this.tryTake(shares, count)
    if (lease) return lease
    const isOwn = shares.shares.length === 1 && count <= this.total - this.#held
    if (isOwn)
      throw new CarrelError(
        'limit_reached',
        `Cannot ${doing}: the account has as many connections, files and processes open as it may just now`,
      )
    throw new CarrelError('no_capacity', `Cannot ${doing}: too many connections are open just now`)
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

/** Of what is left. Alone a holder comes to part / (1 + part) of all: an account to a quarter, a visitor to a thirteenth. */
const parts = {
  account: 1 / 3,
  /** All previews together. */
  previews: 1,
  /** The owner of sites that are overrun must still get at them. */
  previewsOfAccount: 1 / 5,
  computer: 1 / 6,
  visitor: 1 / 12,
  anonymous: 1 / 3,
  anonymousNetwork: 1 / 8,
} as const

/** For the database, the driver, the programs that it starts and what they leave open for a moment. */
const ownLeast = 128
