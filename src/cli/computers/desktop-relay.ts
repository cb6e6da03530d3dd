import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type AddressInfo, type LookupFunction, type Server, type Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import { WebSocket } from 'ws'
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
      const remote = await this.#connect(socket)
      const [code, reason] = await relayed(socket, remote)
      if (code >= 4000) this.#access.renew()
      if (reason.length > 0) this.#report(`The connection has ended: ${String(reason)}`)
    } catch (error) {
      this.#report(error instanceof Error ? error.message : String(error))
    } finally {
      socket.destroy()
    }
  }

  async #connect(socket: Socket): Promise<WebSocket> {
    const { url, token } = await this.#access.grant()
    const remote = new WebSocket(url, 'binary', {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      ...(isLocal(new URL(url).hostname) ? { lookup: lookupLocal } : {}),
    })
    // The first bytes of the desktop can arrive together with the answer.
    remote
      .on('error', () => {})
      .on('message', (data: Buffer, isBinary) => {
        // The server explains in text why it closes, and says it again as it closes.
        if (!isBinary || socket.write(data)) return
        remote.pause()
        socket.once('drain', () => remote.resume())
      })
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
    return remote
  }
}

/** Passes on what the client sends, until either side goes. Resolves with the code and the reason of the server. */
async function relayed(socket: Socket, remote: WebSocket): Promise<[code: number, reason: Buffer]> {
  const closed = once(remote, 'close') as Promise<[number, Buffer]>
  socket
    .on('data', (data) => {
      socket.pause()
      remote.send(data, () => socket.resume())
    })
    .once('end', () => remote.close())
    .once('close', () => remote.terminate())
  if (socket.destroyed) remote.terminate()
  else socket.resume()
  return closed
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
