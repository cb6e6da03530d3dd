import type { IncomingMessage } from 'node:http'
import type { Authenticated } from '../../engine/identity/accounts/tokens.ts'
import type { CarrelError } from '../../errors.ts'
import type { ClientSocket } from './client-socket.ts'

/** The caller that opened a WebSocket, and its path parameters. */
export interface SocketCaller {
  caller: Authenticated
  /** The token of the handshake; in memory as long as the connection. */
  token: string
  /** The values of the parameters in the path, such as `id` of `/v1/computers/:id/vnc`. */
  params: Readonly<Record<string, string>>
  /** The handshake. */
  request: IncomingMessage
  /** Returns an error's fields in the envelope of the surface. */
  errorBody: (error: CarrelError, requestId: string) => Record<string, unknown>
}

/** What a WebSocket does at its address. Scope, path and documentation are those of its route. */
export interface SocketEndpoint {
  maxMessageBytes: number
  /** Returns the token that a handshake carries outside its headers; undefined when there is none. */
  tokenOf?: (request: IncomingMessage) => string | undefined
  /** Takes over a connection whose caller is known. */
  open: (socket: ClientSocket, caller: SocketCaller) => void
}
