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
import { errorAnswer, type ErrorEnvelope } from '../error-envelope.ts'
import { sendFinalResponse } from '../final-response.ts'
import { logFailure } from '../log-failure.ts'
import { pathOf } from '../path-of.ts'
import { pathPattern } from '../path-pattern.ts'
import { assertWithin, rateLimitHeaders, type AccountLimits } from '../rate-limits.ts'
import type { Counted } from '../request-counter.ts'
import { retryAfterS } from '../retry-after.ts'
import type { CataloguedSocket } from '../route-catalog.ts'
import { ClientSocket } from './client-socket.ts'
import { receiveInPieces } from './large-frames.ts'
import { watchLargeMessages } from './large-message.ts'
import type { SocketCaller, SocketEndpoint } from './socket-endpoint.ts'

/** Who may open a WebSocket. */
export interface Admitted {
  caller: Authenticated
  /** The token of the handshake. */
  token: string
  /** How long a client has to answer when that is over, before it is cut off. Default: half a minute. */
  lastAnswerMs?: number
  /** Calls `end` when that is over. Returns a function to call when the WebSocket is closed. */
  whileAdmitted: (end: (reason: string, code?: number) => void) => () => void
}

/** Decides who may open a WebSocket. Throws why not. */
export interface SocketDoor {
  enter: (request: IncomingMessage, endpoint: SocketEndpoint) => Promise<Admitted>
}

interface Parts {
  engine: Engine
  accountLimits: AccountLimits
  connections: Connections
  /** Default: callers with a token of an account. */
  door?: SocketDoor
}

interface Opened extends Omit<CataloguedSocket, 'path'> {
  match: ReturnType<typeof pathPattern>
  server: WebSocketServer
}

/** Returns the door for callers with a token of an account. */
function accountDoor(engine: Engine): SocketDoor {
  return {
    enter: async (request, { tokenOf }) => {
      const token = tokenOf?.(request) ?? bearerToken(request.headers)
      const caller = await authenticateAny(engine, token)
      return { caller, token, whileAdmitted: (end) => engine.liveConnections.add(caller, end) }
    },
  }
}

/** Opens the WebSockets of all surfaces for authorized callers, and terminates dead connections. */
export class SocketServer {
  readonly #engine: Engine
  readonly #accountLimits: AccountLimits
  readonly #connections: Connections
  readonly #door: SocketDoor
  readonly #opened: Opened[]
  readonly #ofAccount = new Map<string, number>()
  readonly #heartbeat: NodeJS.Timeout

  constructor(
    { engine, accountLimits, connections, door = accountDoor(engine) }: Parts,
    sockets: readonly CataloguedSocket[],
  ) {
    this.#engine = engine
    this.#accountLimits = accountLimits
    this.#connections = connections
    this.#door = door
    this.#opened = sockets.map(({ path, ...socket }) => ({
      ...socket,
      match: pathPattern(path),
      server: new WebSocketServer({
        noServer: true,
        maxPayload: socket.endpoint.maxMessageBytes,
        perMessageDeflate: false,
        WebSocket: ClientSocket as never,
      }),
    }))
    this.#heartbeat = setInterval(() => this.#beat(), limits.socketPingMs).unref()
  }

  /** Handles a handshake; returns false when no WebSocket is at its path. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = pathOf(request.url ?? '')
    for (const opened of this.#opened) {
      const params = opened.match(path)
      if (!params) continue
      void this.#open(opened, params, { request, connection: socket, head })
      return true
    }
    return false
  }

  /** Asks every client to reconnect: they attach to the next server, and continue from their last cursor. */
  close(): void {
    clearInterval(this.#heartbeat)
    for (const client of this.#clients()) client.close(1012, 'the server restarts')
  }

  async #open(
    { endpoint, surface, scope, server }: Opened,
    params: Record<string, string>,
    { request, connection, head }: { request: IncomingMessage; connection: Duplex; head: Buffer },
  ): Promise<void> {
    connection.on('error', () => {})
    let counted: Counted | undefined
    try {
      const admitted = await this.#door.enter(request, endpoint)
      const { caller, token } = admitted
      // Opening a WebSocket counts as a request; messages on it do not.
      counted = this.#accountLimits.count(surface.rateLimits, caller, 'read')
      if (counted) assertWithin(counted)
      if (scope !== 'any') assertScope(caller, scope)
      if (connection.destroyed) return
      this.#connections.belongTo(connection, caller.accountId)
      this.#admit(caller.accountId, connection)
      server.handleUpgrade(request, connection, head, (client) => {
        const socket = client as ClientSocket
        socket.connection = connection
        socket.siblings = () => this.#ofAccount.get(caller.accountId) ?? 1
        const end = (reason: string, code = 1008) => {
          // The messages of a client that does not answer the close are ignored until it is cut off.
          socket.removeAllListeners('message')
          socket.close(code, reason)
          const { lastAnswerMs } = admitted
          if (lastAnswerMs !== undefined) setTimeout(() => socket.terminate(), lastAnswerMs).unref()
        }
        socket.once('close', admitted.whileAdmitted(end))
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
        const errorBody: SocketCaller['errorBody'] = (error, requestId) => surface.envelope.body(error, requestId, {})
        endpoint.open(socket, { caller, token, params, request, errorBody })
      })
    } catch (error) {
      this.#refuse(connection, surface.envelope, asCarrelError(error), counted && rateLimitHeaders(counted))
    }
  }

  #admit(accountId: string, connection: Duplex): void {
    const open = this.#ofAccount.get(accountId) ?? 0
    if (open >= limits.socketsPerAccount)
      throw new CarrelError(
        'limit_reached',
        `Cannot open another WebSocket: the account has ${limits.socketsPerAccount}, which is the limit`,
        { details: { limit: limits.socketsPerAccount } },
      )
    this.#ofAccount.set(accountId, open + 1)
    connection.once('close', () => {
      const left = (this.#ofAccount.get(accountId) ?? 1) - 1
      if (left > 0) this.#ofAccount.set(accountId, left)
      else this.#ofAccount.delete(accountId)
    })
  }

  #refuse(connection: Duplex, envelope: ErrorEnvelope, error: CarrelError, headers: Record<string, string> = {}): void {
    const requestId = randomUUID()
    logFailure(this.#engine.log, error, { requestId })
    const { status, text: body } = errorAnswer(envelope, error, requestId)
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
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

  /**
   * Pings every client, and terminates those that have neither sent nor accepted anything for a minute: they are gone.
   */
  #beat(): void {
    const now = Date.now()
    for (const client of this.#clients()) {
      // The server does not read from a paused client, whose silence therefore means nothing.
      if (client.isPaused || client.hasTaken()) client.lastHeardMs = now
      else if (now - client.lastHeardMs > limits.stalledClientMs) client.terminate()
      if (client.readyState === client.OPEN) client.ping()
    }
  }

  #clients(): ClientSocket[] {
    return this.#opened.flatMap(({ server }) => [...server.clients] as ClientSocket[])
  }
}
