import { limits } from '../config/limits.ts'
import { wideNetworkOf } from '../engine/identity/auth/wide-network.ts'
import { RequestCounter, type Counted } from './request-counter.ts'

/** Counts the requests of each network within a minute, and of each /48 of IPv6 several times as many. */
export class NetworkCounter {
  readonly #networks: RequestCounter
  readonly #wideOnes: RequestCounter

  constructor(limit: number) {
    this.#networks = new RequestCounter(limit)
    this.#wideOnes = new RequestCounter(limit * limits.wideNetworkFactor)
  }

  /** What is refused takes nothing from the other networks of the /48. */
  count(network: string, now: number = Date.now()): Counted {
    const counted = this.#networks.count(network, now)
    const wide = wideNetworkOf(network)
    if (counted.isOver || wide === undefined) return counted
    const inAll = this.#wideOnes.count(wide, now)
    return inAll.remaining < counted.remaining || inAll.isOver ? inAll : counted
  }
}
