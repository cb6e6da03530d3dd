import { limits } from '../config/limits.ts'
import type { DescriptorBudget, Lease } from '../engine/budgets/descriptor-budget.ts'
import type { ClientNetworks } from '../http/client-networks.ts'

/** A connection that counts as a stranger's until its user has proved who it is. */
export interface Admitted {
  /** undefined for the network of a proxy. */
  network: string | undefined
  /** Ends the count; a second call does nothing. */
  leave: () => void
}

/** Counts the connections of strangers: by network, and against the descriptors that strangers share. */
export class Admission {
  readonly #budget: DescriptorBudget
  readonly #networks: ClientNetworks
  readonly #byNetwork = new Map<string, number>()

  constructor(budget: DescriptorBudget, networks: ClientNetworks) {
    this.#budget = budget
    this.#networks = networks
  }

  /** Counts a connection; returns undefined when its network has too many, or strangers have too many together. */
  admit(remoteAddress: string | undefined): Admitted | undefined {
    const network = this.#networks.ofConnection(remoteAddress)
    const count = this.#byNetwork.get(network ?? '') ?? 0
    if (network !== undefined && count >= limits.sshUnprovenPerNetwork) return undefined
    const lease = this.#budget.tryTake(this.#budget.sharesOf({ anonymous: { network } }))
    if (!lease) return undefined
    if (network !== undefined) this.#byNetwork.set(network, count + 1)
    return { network, leave: () => this.#leave(network, lease) }
  }

  readonly #left = new WeakSet<Lease>()

  #leave(network: string | undefined, lease: Lease): void {
    if (this.#left.has(lease)) return
    this.#left.add(lease)
    lease.release()
    if (network === undefined) return
    const left = this.#byNetwork.get(network)! - 1
    if (left > 0) this.#byNetwork.set(network, left)
    else this.#byNetwork.delete(network)
  }
}
