import { randomBytes } from 'node:crypto'

/**
 * Stand-ins for a token in an address, where addresses are logged: each opens one WebSocket, soon. They are kept in
 * memory; a server that starts anew knows none.
 */
export class SocketTickets {
  readonly #tokens = new Map<string, { token: string; expiresAtMs: number }>()

  issue(token: string): string {
    const now = Date.now()
    for (const [old, { expiresAtMs }] of this.#tokens)
      if (expiresAtMs <= now || this.#tokens.size >= maxTickets) this.#tokens.delete(old)
    const ticket = `pp_ws_${randomBytes(32).toString('base64url')}`
    this.#tokens.set(ticket, { token, expiresAtMs: now + ticketLifeMs })
    return ticket
  }

  /** The token that it stands for, once; undefined when it stands for none any more. */
  redeem(ticket: string): string | undefined {
    const found = this.#tokens.get(ticket)
    this.#tokens.delete(ticket)
    return found && found.expiresAtMs > Date.now() ? found.token : undefined
  }
}

export const ticketLifeMs = 60_000
/** Of all accounts; the oldest go first. */
const maxTickets = 10_000
