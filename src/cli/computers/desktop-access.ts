import type { AccessSession, Carrel } from '../../../sdk/index.ts'
import { CarrelApiError } from '../../../sdk/index.ts'

/** The token of a session, and where its desktop is reached. */
interface DesktopGrant {
  /** Of the scheme `ws` or `wss`. */
  url: string
  token: string
}

/** Long enough for a day's work: what is open ends with its session, which is revoked when this program ends. */
const lifeS = 12 * 60 * 60
/** A session that ends sooner is not used for a new connection. */
const minLeftMs = 60_000

/** Sessions for the desktop of one computer, for as long as this program runs. */
export class DesktopAccess {
  readonly #client: Carrel
  readonly #computerId: string
  readonly #sessionIds = new Set<string>()
  #current: Promise<AccessSession & { connect_token: string }> | undefined

  constructor(client: Carrel, computerId: string) {
    this.#client = client
    this.#computerId = computerId
  }

  /** Returns access to the desktop, with a new session where there is none that lasts. */
  async grant(): Promise<DesktopGrant> {
    const last = await this.#current
    if (last !== undefined && Date.parse(last.expires_at) - Date.now() < minLeftMs) this.renew()
    this.#current ??= this.#create()
    const { connect_url: address, connect_token: token } = await this.#current
    return { url: socketAddress(address), token }
  }

  /** Uses a new session from now on, as the server has refused the last one. */
  renew(): void {
    this.#current = undefined
  }

  /** Ends everything that is open. */
  async revoke(): Promise<void> {
    const { accessSessions } = this.#client.computers
    await Promise.all(
      [...this.#sessionIds].map((id) =>
        accessSessions.revoke(this.#computerId, id).catch((error: unknown) => {
          if (!isGone(error)) throw error
        }),
      ),
    )
  }

  async #create(): Promise<AccessSession & { connect_token: string }> {
    try {
      const options = { kind: 'vnc' as const, ttlSeconds: lifeS }
      const session = await this.#client.computers.accessSessions.create(this.#computerId, options)
      this.#sessionIds.add(session.id)
      return session
    } catch (error) {
      this.renew()
      throw error
    }
  }
}

/** Returns the address of the desktop's WebSocket, at the origin that the server names for the session. */
function socketAddress(address: string): string {
  const url = new URL('/api/desktop/socket', address.replace(/^http/, 'ws'))
  if (url.protocol === 'ws:' || url.protocol === 'wss:') return url.href
  throw new Error(`Cannot connect to "${address}": it is no address of a WebSocket`)
}

function isGone(error: unknown): boolean {
  return error instanceof CarrelApiError && error.status === 404
}
