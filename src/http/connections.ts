import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'
import type { DescriptorBudget, Lease, Shares } from '../engine/budgets/descriptor-budget.ts'
import type { ClientNetworks } from './client-networks.ts'
import { retryAfterS } from './retry-after.ts'

/** The budget shares of a visit to a preview: of its connection, and of what is open into the computer for it. */
export interface Visit {
  shares: Shares
  /** The same without the visitor's, for connections that are kept open for the next visitor. */
  kept: Shares
}

interface Connection {
  socket: Socket
  /** The network that it comes from; '' for a proxy. */
  network: string
  sinceMs: number
  lease: Lease | undefined
  /** What it was last counted for, to detect cheaply that nothing changed. */
  holder: string
  visit: Visit | undefined
}

interface Options {
  budget: DescriptorBudget
  networks: ClientNetworks
}

/**
 * The connections of all clients, each counted against a budget: of its network until a request identifies its account,
 * then of that account, or of the visitor and the owner of a preview. When there is no room, a silent connection gives
 * way to a newer one, so that clients that do send requests get through.
 */
export class Connections {
  readonly #budget: DescriptorBudget
  readonly #networks: ClientNetworks
  readonly #known = new WeakMap<Duplex, Connection>()
  /** Connections without an identified account, the oldest first; all of them, and by network. */
  readonly #anonymous = new Set<Connection>()
  readonly #anonymousByNetwork = new Map<string, Set<Connection>>()
  readonly #allAnonymous: Shares
  readonly #timer: NodeJS.Timeout

  constructor({ budget, networks }: Options) {
    this.#budget = budget
    this.#networks = networks
    this.#allAnonymous = budget.sharesOf({ anonymous: {} })
    this.#timer = setInterval(() => this.#closeSilent(), limits.silentConnectionMs / 4).unref()
  }

  /** Counts a new connection, or refuses it when there is no room. */
  accept(socket: Socket): void {
    const network = this.#networks.ofConnection(socket.remoteAddress) ?? ''
    const shares = this.#budget.sharesOf({ anonymous: { network: network || undefined } })
    let lease = this.#budget.tryTake(shares)
    while (!lease && this.#closeOldest(network)) lease = this.#budget.tryTake(shares)
    if (!lease) return void socket.end(refusal, () => socket.destroy())
    const sinceMs = performance.now()
    const connection: Connection = { socket, network, sinceMs, lease, holder: '', visit: undefined }
    this.#known.set(socket, connection)
    this.#anonymous.add(connection)
    const others = this.#anonymousByNetwork.get(network)
    if (others) others.add(connection)
    else this.#anonymousByNetwork.set(network, new Set([connection]))
    socket.once('close', () => this.#forget(connection))
  }

  /**
   * Counts a connection against the account of its request. Throws `limit_reached` when the account has too much open
   * already.
   */
  belongTo(socket: Duplex, accountId: string): void {
    const connection = this.#known.get(socket)
    if (!connection || connection.holder === accountId) return
    this.#count(connection, accountId, 'accept the request', this.#budget.sharesOf({ account: accountId }))
    connection.visit = undefined
  }

  /** Counts a connection as a visit to a preview. Throws `no_capacity` when there is no room for it. */
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
    if (!this.#anonymous.delete(connection)) return
    const others = this.#anonymousByNetwork.get(connection.network)!
    others.delete(connection)
    if (others.size === 0) this.#anonymousByNetwork.delete(connection.network)
  }

  /**
   * Closes the oldest anonymous connection: of the same network where that has too many, otherwise of any. Returns
   * false when there is none.
   */
  #closeOldest(network: string): boolean {
    const isFull = !this.#budget.hasRoom(this.#allAnonymous)
    const anonymous = (isFull ? undefined : this.#anonymousByNetwork.get(network)) ?? this.#anonymous
    const oldest = silentOf(anonymous) ?? anonymous.values().next().value
    if (!oldest) return false
    oldest.socket.destroy()
    this.#leave(oldest)
    return true
  }

  /** Closes connections that have sent nothing. Node itself limits the time of a request that has begun. */
  #closeSilent(): void {
    const before = performance.now() - limits.silentConnectionMs
    for (const { socket, sinceMs } of this.#anonymous) {
      if (sinceMs > before) return
      if (socket.bytesRead === 0) socket.destroy()
    }
  }
}

/** Returns the oldest silent connection among the first ones, which are the oldest. */
function silentOf(connections: Iterable<Connection>): Connection | undefined {
  let checked = 0
  for (const connection of connections) {
    if (connection.socket.bytesRead === 0) return connection
    if (++checked === maxChecked) return undefined
  }
  return undefined
}

const maxChecked = 64
const refusal = `HTTP/1.1 503 Service Unavailable\r\nretry-after: ${retryAfterS}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
