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
    return this.#each(network, (counter, key) => counter.count(key, now))
  }

  /** Returns what `count` would, without counting. */
  foresee(network: string, now: number = Date.now()): Counted {
    return this.#each(network, (counter, key) => counter.foresee(key, now))
  }

  #each(network: string, ask: (counter: RequestCounter, key: string) => Counted): Counted {
    const counted = ask(this.#networks, network)
    const wide = sitePrefixOf(network)
    if (counted.isOver || wide === undefined) return counted
    const total = ask(this.#wideNetworks, wide)
    return total.remaining < counted.remaining || total.isOver ? total : counted
  }
}
