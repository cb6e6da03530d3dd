import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'
import type { DescriptorBudget, Lease, Shares } from '../engine/budgets/descriptor-budget.ts'
import type { ClientNetworks } from './client-networks.ts'
import { retryAfterS } from './retry-after.ts'

/** Who holds the descriptors of a visit to a preview: its connection, and what is open into the computer for it. */
export interface Visit {
  shares: Shares
  /** The same without the visitor, for what is kept open for the next one. */
  kept: Shares
}

interface Connection {
  socket: Socket
  /** Where it comes from; '' for a proxy. */
  network: string
  sinceMs: number
  lease: Lease | undefined
  /** Whom it was counted for last, to find out cheaply that it is the same again. */
  holder: string
  visit: Visit | undefined
}

interface Options {
  budget: DescriptorBudget
  networks: ClientNetworks
}

/**
 * The connections of all clients, each counted for somebody: for the network it comes from until it says whose it is, then for its
 * account, or for the visitor and the owner of a preview. One that has said nothing makes room for a newer one when there is none left,
 * so that who does say something gets through.
 */
export class Connections {
  readonly #budget: DescriptorBudget
  readonly #networks: ClientNetworks
  readonly #known = new WeakMap<Duplex, Connection>()
  /** Those that have not said whose they are, the oldest first; in all and by network. */
  readonly #strangers = new Set<Connection>()
  readonly #strangersOf = new Map<string, Set<Connection>>()
  readonly #anybody: Shares
  readonly #timer: NodeJS.Timeout

  constructor({ budget, networks }: Options) {
    this.#budget = budget
    this.#networks = networks
    this.#anybody = budget.sharesOf({ anonymous: {} })
    this.#timer = setInterval(() => this.#closeSilent(), limits.silentConnectionMs / 4).unref()
  }

  /** Counts a new one, or refuses it when there is room for no more. */
  accept(socket: Socket): void {
    const network = this.#networks.ofConnection(socket.remoteAddress) ?? ''
    const shares = this.#budget.sharesOf({ anonymous: { network: network || undefined } })
    let lease = this.#budget.tryTake(shares)
    while (!lease && this.#closeOldest(network)) lease = this.#budget.tryTake(shares)
    if (!lease) return void socket.end(refusal, () => socket.destroy())
    const sinceMs = performance.now()
    const connection: Connection = { socket, network, sinceMs, lease, holder: '', visit: undefined }
    this.#known.set(socket, connection)
    this.#strangers.add(connection)
    const others = this.#strangersOf.get(network)
    if (others) others.add(connection)
    else this.#strangersOf.set(network, new Set([connection]))
    socket.once('close', () => this.#forget(connection))
  }

  /** Counts a connection for the account that its request is of. Throws `limit_reached` when that has too much open already. */
  belongTo(socket: Duplex, accountId: string): void {
    const connection = this.#known.get(socket)
    if (!connection || connection.holder === accountId) return
    this.#count(connection, accountId, 'take the request', this.#budget.sharesOf({ account: accountId }))
    connection.visit = undefined
  }

  /** Counts it for a visit to a preview. Throws `no_capacity` when there is no room for it. */
  visit(request: IncomingMessage, computerId: string, accountId: string): Visit {
    const connection = this.#known.get(request.socket)
    const visitor = connection?.network || this.#networks.ofRequest(request)
    const holder = `${computerId} ${accountId} ${visitor}`
    if (connection?.visit && connection.holder === holder) return connection.visit
    const site = { account: accountId, computer: computerId }
    const visit = { shares: this.#budget.sharesOf({ ...site, visitor }), kept: this.#budget.sharesOf(site) }
    if (connection) {
      this.#count(connection, holder, 'open the preview', visit.shares)
      connection.visit = visit
    }
    return visit
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #count(connection: Connection, holder: string, doing: string, shares: Shares): void {
    const lease = this.#budget.take(doing, shares)
    this.#leave(connection)
    if (connection.socket.destroyed) return lease.release()
    connection.lease = lease
    connection.holder = holder
  }

  #forget(connection: Connection): void {
    this.#leave(connection)
    this.#known.delete(connection.socket)
  }

  #leave(connection: Connection): void {
    connection.lease?.release()
    connection.lease = undefined
    if (!this.#strangers.delete(connection)) return
    const others = this.#strangersOf.get(connection.network)!
    others.delete(connection)
    if (others.size === 0) this.#strangersOf.delete(connection.network)
  }

  /** Of its own network where that has too many, else of any. False when there is none. */
  #closeOldest(network: string): boolean {
    const isFull = !this.#budget.hasRoom(this.#anybody)
    const strangers = (isFull ? undefined : this.#strangersOf.get(network)) ?? this.#strangers
    const oldest = silentOf(strangers) ?? strangers.values().next().value
    if (!oldest) return false
    oldest.socket.destroy()
    this.#leave(oldest)
    return true
  }

  /** Node has limits of its own for what has begun to come. */
  #closeSilent(): void {
    const before = performance.now() - limits.silentConnectionMs
    for (const { socket, sinceMs } of this.#strangers) {
      if (sinceMs > before) return
      if (socket.bytesRead === 0) socket.destroy()
    }
  }
}

/** The oldest of some that has said nothing; looked for among the oldest alone. */
function silentOf(connections: Iterable<Connection>): Connection | undefined {
  let looked = 0
  for (const connection of connections) {
    if (connection.socket.bytesRead === 0) return connection
    if (++looked === maxLooked) return undefined
  }
  return undefined
}

const maxLooked = 64
const refusal = `HTTP/1.1 503 Service Unavailable\r\nretry-after: ${retryAfterS}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
