import { limits } from '../config/limits.ts'
import { sitePrefixOf } from '../engine/identity/auth/site-prefix.ts'
import { RequestCounter, type Counted } from './request-counter.ts'

/** Counts the requests of each network within a minute; an IPv6 /48 may make several times as many. */
export class NetworkCounter {
  readonly #networks: RequestCounter
  readonly #wideNetworks: RequestCounter

  constructor(limit: number) {
    this.#networks = new RequestCounter(limit)
    this.#wideNetworks = new RequestCounter(limit * limits.sitePrefixFactor)
  }

  /** Counts a request. One that its own network is refused does not count against the other networks of the /48. */
  count(network: string, now: number = Date.now()): Counted {
    const counted = this.#networks.count(network, now)
    const wide = sitePrefixOf(network)
    if (counted.isOver || wide === undefined) return counted
    const total = this.#wideNetworks.count(wide, now)
    return total.remaining < counted.remaining || total.isOver ? total : counted
  }

  /** Returns what `count` would, without counting. */
  foresee(network: string, now: number = Date.now()): Counted {
    const counted = this.#networks.foresee(network, now)
    const wide = sitePrefixOf(network)
    return counted.isOver || wide === undefined ? counted : this.#wideNetworks.foresee(wide, now)
  }
}
