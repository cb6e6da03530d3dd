import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { limits } from '../../config/limits.ts'
import { assertScope, type Authenticated } from '../../engine/identity/accounts/tokens.ts'
import type { Engine } from '../../engine/engine.ts'
import { authenticateAny } from '../../engine/identity/auth/authenticate.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import { bearerToken } from '../authenticate.ts'
import type { Connections } from '../connections.ts'
import { sendFinalResponse } from '../final-response.ts'
import { logFailure } from '../log-failure.ts'
import { assertWithin, rateLimitHeaders, type AccountLimits } from '../rate-limits.ts'
import type { Counted } from '../request-counter.ts'
import { retryAfterS } from '../retry-after.ts'
import { ClientSocket } from './client-socket.ts'
import { receiveInPieces } from './large-frames.ts'
import { watchLargeMessages } from './large-message.ts'

type ErrorBody = (error: CarrelError, requestId: string) => Record<string, unknown>

/** Who opened a WebSocket. */
export interface SocketCaller {
  caller: Authenticated
  /** What they authenticated with; in memory as long as the connection. */
  token: string
}

/** A WebSocket on the origin, by its path. */
export interface SocketEndpoint {
  path: string
  maxMessageBytes: number
  /** The token that a handshake carries otherwise than by its headers; undefined when there is none. */
  tokenOf?: (request: IncomingMessage) => string | undefined
  /** Takes over a connection whose caller is known. */
  open: (socket: ClientSocket, caller: SocketCaller) => void
}

interface Parts {
  engine: Engine
  errorBody: ErrorBody
  accountLimits: AccountLimits
  connections: Connections
}

/** The WebSockets of all surfaces: who may open one, and that dead ones do not stay. */
export class SocketServer {
  readonly #engine: Engine
  readonly #errorBody: ErrorBody
  readonly #accountLimits: AccountLimits
  readonly #connections: Connections
  readonly #endpoints: { endpoint: SocketEndpoint; server: WebSocketServer }[]
  readonly #ofAccount = new Map<string, number>()
  readonly #heartbeat: NodeJS.Timeout

  constructor({ engine, errorBody, accountLimits, connections }: Parts, endpoints: SocketEndpoint[]) {
    this.#engine = engine
    this.#errorBody = errorBody
    this.#accountLimits = accountLimits
    this.#connections = connections
    this.#endpoints = endpoints.map((endpoint) => ({
      endpoint,
      server: new WebSocketServer({
        noServer: true,
        maxPayload: endpoint.maxMessageBytes,
        perMessageDeflate: false,
        WebSocket: ClientSocket as never,
      }),
    }))
    this.#heartbeat = setInterval(() => this.#beat(), limits.socketPingMs).unref()
  }

  /** Takes the handshake when it is for one of them. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = (request.url ?? '').split('?')[0]!.replace(/(?<=.)\/$/, '')
    const found = this.#endpoints.find(({ endpoint }) => endpoint.path === path)
    if (found) void this.#open(found, request, socket, head)
    return found !== undefined
  }

  /** Tells every client to come back: they attach to the next server, from where they have read. */
  close(): void {
    clearInterval(this.#heartbeat)
    for (const client of this.#clients()) client.close(1012, 'the server restarts')
  }

  async #open(
    { endpoint, server }: { endpoint: SocketEndpoint; server: WebSocketServer },
    request: IncomingMessage,
    connection: Duplex,
    head: Buffer,
  ): Promise<void> {
    connection.on('error', () => {})
    let counted: Counted | undefined
    try {
      const token = endpoint.tokenOf?.(request) ?? bearerToken(request.headers)
      const caller = await authenticateAny(this.#engine, token)
      // Opening one is a request; messages on it are none.
      counted = this.#accountLimits.count(caller, 'GET', endpoint.path)
      if (counted) assertWithin(counted)
      assertScope(caller, 'compute')
      if (connection.destroyed) return
      this.#connections.belongTo(connection, caller.accountId)
      this.#admit(caller.accountId, connection)
      server.handleUpgrade(request, connection, head, (client) => {
        const socket = client as ClientSocket
        socket.connection = connection
        socket.siblings = () => this.#ofAccount.get(caller.accountId) ?? 1
        const end = (reason: string) => {
          // Whoever does not answer the close has half a minute more, in which nothing of theirs is taken.
          socket.removeAllListeners('message')
          socket.close(1008, reason)
        }
        socket.once('close', this.#engine.liveConnections.add(caller, end))
        for (const event of ['message', 'ping', 'pong'])
          socket.on(event, () => {
            socket.lastHeardMs = Date.now()
          })
        if (endpoint.maxMessageBytes > limits.socketMessageBytes)
          watchLargeMessages({
            memory: this.#engine.budgets.memory,
            accountId: caller.accountId,
            socket,
            connection,
            maxMessageBytes: endpoint.maxMessageBytes,
          })
        receiveInPieces(socket, endpoint.maxMessageBytes)
        endpoint.open(socket, { caller, token })
      })
    } catch (error) {
      this.#refuse(connection, asCarrelError(error), counted && rateLimitHeaders(counted))
    }
  }

  #admit(accountId: string, connection: Duplex): void {
    const open = this.#ofAccount.get(accountId) ?? 0
    if (open >= limits.socketsPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot open another WebSocket: the account has ${limits.socketsPerAccount}, which is its limit`,
        { details: { limit: limits.socketsPerAccount } },
      )
    this.#ofAccount.set(accountId, open + 1)
    connection.once('close', () => {
      const left = (this.#ofAccount.get(accountId) ?? 1) - 1
      if (left > 0) this.#ofAccount.set(accountId, left)
      else this.#ofAccount.delete(accountId)
    })
  }

  #refuse(connection: Duplex, error: CarrelError, headers: Record<string, string> = {}): void {
    const requestId = randomUUID()
    logFailure(this.#engine.log, error, { requestId })
    const body = JSON.stringify(this.#errorBody(error, requestId))
    const lines = [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Refused'}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ...(error.code === 'unauthenticated' ? ['www-authenticate: Bearer'] : []),
      ...(error.code === 'no_capacity' ? [`retry-after: ${retryAfterS}`] : []),
      'connection: close',
    ]
    sendFinalResponse(connection, `${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** Pings everyone, and cuts those of whom nothing was heard and who took nothing for a minute: they are gone. */
  #beat(): void {
    const now = Date.now()
    for (const client of this.#clients()) {
      // What is not read is not heard: then the silence is ours.
      if (client.isPaused || client.hasTaken()) client.lastHeardMs = now
      else if (now - client.lastHeardMs > limits.stalledClientMs) client.terminate()
      if (client.readyState === client.OPEN) client.ping()
    }
  }

  #clients(): ClientSocket[] {
    return this.#endpoints.flatMap(({ server }) => [...server.clients] as ClientSocket[])
  }
}
