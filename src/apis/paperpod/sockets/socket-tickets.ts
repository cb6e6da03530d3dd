import { randomBytes } from 'node:crypto'

interface Ticket {
  accountId: string
  token: string
  expiresAtMs: number
}

/**
 * Tickets that replace the token in addresses, because addresses are logged. Each opens one WebSocket within a minute,
 * while its token is valid. They are kept in memory, and lost when the server restarts.
 */
export class SocketTickets {
  /** Oldest first. */
  readonly #tickets = new Map<string, Ticket>()
  readonly #ofAccount = new Map<string, Set<string>>()

  issue(accountId: string, token: string): string {
    const now = Date.now()
    for (const [old, { expiresAtMs }] of this.#tickets) {
      if (expiresAtMs > now) break
      this.#take(old)
    }
    const own = this.#ofAccount.get(accountId) ?? new Set()
    const [oldest] = own
    if (own.size >= maxTickets && oldest !== undefined) this.#take(oldest)
    const ticket = `pp_ws_${randomBytes(32).toString('base64url')}`
    this.#tickets.set(ticket, { accountId, token, expiresAtMs: now + ticketLifeMs })
    this.#ofAccount.set(accountId, own.add(ticket))
    return ticket
  }

  /** Returns the token of a ticket, once; undefined if the ticket is unknown, used or expired. */
  redeem(ticket: string): string | undefined {
    const found = this.#take(ticket)
    return found && found.expiresAtMs > Date.now() ? found.token : undefined
  }

  #take(ticket: string): Ticket | undefined {
    const found = this.#tickets.get(ticket)
    if (!found) return undefined
    this.#tickets.delete(ticket)
    const own = this.#ofAccount.get(found.accountId)
    own?.delete(ticket)
    if (own?.size === 0) this.#ofAccount.delete(found.accountId)
    return found
  }
}

export const ticketLifeMs = 60_000
/** Max tickets of one account; the oldest is dropped for a new one. */
const maxTickets = 100
