import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { limits } from '../../config/limits.ts'
import { authenticateToken } from '../../engine/accounts/tokens.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError, type CarrelError } from '../../errors.ts'
import { bearerToken } from '../../http/authenticate.ts'
import { ExecSocket } from './exec-socket.ts'

type ErrorBody = (error: CarrelError, requestId: string) => Record<string, unknown>

/** WebSockets of Carrel's own: `/v1/exec`, over which the command line runs programs. */
export class CarrelSockets {
  readonly #engine: Engine
  readonly #errorBody: ErrorBody
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.socketMessageBytes,
    perMessageDeflate: false,
  })

  constructor(engine: Engine, errorBody: ErrorBody) {
    this.#engine = engine
    this.#errorBody = errorBody
  }

  /** Takes the handshake when it is for one of them. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if ((request.url ?? '').split('?')[0] !== '/v1/exec') return false
    void this.#open(request, socket, head)
    return true
  }

  /** Tells every client to come back: they attach to the next server, from where they have read. */
  close(): void {
    for (const client of this.#server.clients) client.close(1012, 'the server restarts')
  }

  async #open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {})
    try {
      const caller = await authenticateToken(this.#engine.db, bearerToken(request.headers))
      this.#server.handleUpgrade(request, socket, head, (client) => {
        new ExecSocket({
          engine: this.#engine,
          caller,
          socket: client,
          errorBody: (error) => this.#errorBody(error, ''),
        })
      })
    } catch (error) {
      const known = asCarrelError(error)
      const body = JSON.stringify(this.#errorBody(known, ''))
      socket.end(
        `HTTP/1.1 ${known.status} Refused\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${known.code === 'unauthenticated' ? 'www-authenticate: Bearer\r\n' : ''}connection: close\r\n\r\n${body}`,
      )
    }
  }
}
