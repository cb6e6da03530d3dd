import { IncomingMessage, type IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { assertScope, type Authenticated } from '../engine/accounts/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import { authenticateAny } from '../engine/sign-in/authenticate.ts'
import { CarrelError } from '../errors.ts'
import type { Connections } from './connections.ts'
import { assertWithin, rateLimitHeaders, type AccountLimits } from './rate-limits.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that is not public. */
    caller: Authenticated
  }
}

/**
 * A hook that lets a request in by its bearer token, as often as its account may. `X-Session-Token` has the same meaning where
 * `Authorization` is taken.
 */
export function authenticate(engine: Engine, accountLimits: AccountLimits, connections: Connections) {
  const admit = (request: FastifyRequest, reply: FastifyReply, caller: Authenticated): void => {
    request.caller = caller
    connections.belongTo(request.raw.socket, caller.accountId)
    const counted =
      isOfClient(request) &&
      accountLimits.count(caller.accountId, request.method, request.routeOptions.url ?? request.url)
    if (counted) {
      reply.headers(rateLimitHeaders(counted))
      assertWithin(counted)
    }
    const { scope = 'compute' } = request.routeOptions.config
    if (scope !== 'any') assertScope(caller, scope)
  }
  return (request: FastifyRequest, reply: FastifyReply): Promise<void> | void => {
    const caller = authenticateAny(engine, bearerToken(request.headers))
    // A promise costs as much as all else here, and a known caller needs none.
    if (caller instanceof Promise) return caller.then((known) => admit(request, reply, known))
    admit(request, reply, caller)
  }
}

/** Not for a message of a WebSocket, which is sent to its route within the server. */
function isOfClient({ raw }: FastifyRequest): boolean {
  return raw instanceof IncomingMessage
}

/** The token that a request carries. */
export function bearerToken(headers: IncomingHttpHeaders): string {
  const own = headers['x-session-token']
  if (typeof own === 'string' && own) return own
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (token) return token
  throw new CarrelError('unauthenticated', 'Cannot authenticate: no bearer token was sent')
}
