import { IncomingMessage, type IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { assertScope, type Authenticated } from '../engine/identity/accounts/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import { authenticateAny } from '../engine/identity/auth/authenticate.ts'
import { CarrelError } from '../errors.ts'
import type { Connections } from './connections.ts'
import { networkOf } from './network-of.ts'
import { assertWithin, rateClassOf, rateLimitHeaders, type AccountLimits } from './rate-limits.ts'
import type { Counted } from './request-counter.ts'
import { pathOf } from './path-of.ts'
import { surfaceOf, type Surface } from './surface.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that is not public. */
    caller: Authenticated
  }
}

/**
 * Returns a hook that authenticates a request by its bearer token, and applies the rate limits of its account. An
 * `X-Session-Token` header means the same as `Authorization`.
 */
export function authenticate(
  engine: Pick<Engine, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>,
  accountLimits: AccountLimits,
  connections: Connections,
) {
  const admit = (request: FastifyRequest, reply: FastifyReply, caller: Authenticated): void => {
    request.caller = caller
    connections.belongTo(request.raw.socket, caller.accountId)
    const { scope = 'compute', surface, rateClass } = request.routeOptions.config
    if (isFromClient(request)) applyLimit(reply, accountLimits.count(surface!.rateLimits, caller, rateClass!))
    if (scope !== 'any') assertScope(caller, scope)
  }
  return (request: FastifyRequest, reply: FastifyReply): Promise<void> | void => {
    const { callerOf } = request.routeOptions.config
    const caller = callerOf?.(request) ?? authenticateAny(engine, bearerToken(request.headers))
    // A promise costs as much as everything else here, and a cached caller needs none.
    if (caller instanceof Promise) return caller.then((known) => admit(request, reply, known))
    admit(request, reply, caller)
  }
}

/** Returns a hook for unknown paths, which counts requests where the surface's policy counts those too. */
export function countUnknown(
  engine: Pick<Engine, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>,
  accountLimits: AccountLimits,
  surfaces: readonly Surface[],
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { rateLimits } = surfaceOf(surfaces, pathOf(request.url))
    if (!rateLimits.countsUnknown) return
    const caller = await callerOf(engine, request)
    const network = networkOf(request.ip, request.socket.remoteAddress)
    const rateClass = rateClassOf(request.method)
    const counted = caller
      ? accountLimits.count(rateLimits, caller, rateClass)
      : accountLimits.countUnauthenticated(rateLimits, network, rateClass)
    applyLimit(reply, counted)
  }
}

/** Returns the caller of a request; undefined when the token is missing or invalid. */
export async function callerOf(
  engine: Pick<Engine, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>,
  request: FastifyRequest,
): Promise<Authenticated | undefined> {
  try {
    return await authenticateAny(engine, bearerToken(request.headers))
  } catch {
    return undefined
  }
}

function applyLimit(reply: FastifyReply, counted: Counted | undefined): void {
  if (!counted) return
  reply.headers(rateLimitHeaders(counted))
  assertWithin(counted)
}

/** Whether a request comes from a client, and is not an inner request for a WebSocket message. */
function isFromClient({ raw }: FastifyRequest): boolean {
  return raw instanceof IncomingMessage
}

/** Returns the token of a request. Throws `unauthenticated` when there is none. */
export function bearerToken(headers: IncomingHttpHeaders): string {
  const own = headers['x-session-token']
  if (typeof own === 'string' && own) return own
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (token) return token
  throw new CarrelError('unauthenticated', 'Cannot authenticate: no bearer token was sent')
}
