import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type AddressInfo, type LookupFunction, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream, WebSocket } from 'ws'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { DesktopAccess } from './desktop-access.ts'

/** More than one viewer needs; every connection is one of the server too. */
const maxConnections = 16

/** A port of this machine that plain VNC clients use: each connection is passed on to the desktop of a computer. */
export class DesktopRelay {
  readonly #server: Server
  readonly #access: DesktopAccess
  readonly #report: (message: string) => void
  readonly #sockets = new Set<Socket>()

  /** @param report what is called with the reason when a connection ends with an error */
  static async listen(access: DesktopAccess, port: number, report: (message: string) => void): Promise<DesktopRelay> {
    const relay = new DesktopRelay(access, report)
    try {
      await once(relay.#server.listen(port, '127.0.0.1'), 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      throw new Error(`Cannot use port ${port}: another program of this machine has it`, { cause: error })
    }
    return relay
  }

  private constructor(access: DesktopAccess, report: (message: string) => void) {
    this.#access = access
    this.#report = report
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => void this.#serve(socket))
    this.#server.maxConnections = maxConnections
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all connections, and accepts no more. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    try {
      const { remote, stream } = await this.#connect()
      remote.once('close', (code, reason) => {
        // Codes from 4000 are the server's own, with a reason for people.
        if (code >= 4000) this.#report(String(reason) || `The connection ended with code ${code}`)
      })
      // Either side may go at any time, which is the end and no error.
      await pipeline(socket, stream, socket).catch(() => remote.terminate())
    } catch (error) {
      this.#report(error instanceof Error ? error.message : String(error))
    } finally {
      socket.destroy()
    }
  }

  async #connect(): Promise<{ remote: WebSocket; stream: Duplex }> {
    const { url, token } = await this.#access.grant()
    const remote = new WebSocket(url, 'binary', {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      ...(isLocal(new URL(url).hostname) ? { lookup: lookupLocal } : {}),
    })
    // The first bytes of the desktop can arrive together with the answer: they are kept from the beginning.
    const stream = createWebSocketStream(remote).on('error', () => {})
    const refused = new Promise<never>((_, reject) => {
      remote.once('unexpected-response', (_request, response) => {
        this.#access.renew()
        void refusalOf(response).then(reject)
      })
    })
    try {
      await Promise.race([once(remote, 'open'), refused])
    } catch (error) {
      remote.terminate()
      throw error
    }
    return { remote, stream }
  }
}

async function refusalOf(response: IncomingMessage): Promise<CarrelApiError> {
  const body: unknown = await json(response).catch(() => undefined)
  return new CarrelApiError(response.statusCode ?? 0, body)
}

/** Browsers take every name below `localhost` for this machine; not every system does. */
function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

const lookupLocal: LookupFunction = (_hostname, { all }, callback) =>
  all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
