import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { assertScope, type Authenticated } from '../engine/accounts/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import { authenticateAny } from '../engine/sign-in/authenticate.ts'
import { CarrelError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that is not public. */
    caller: Authenticated
  }
}

/** A hook that lets a request in by its bearer token. `X-Session-Token` has the same meaning where `Authorization` is taken. */
export function authenticate(engine: Engine) {
  return async (request: FastifyRequest): Promise<void> => {
    request.caller = await authenticateAny(engine, bearerToken(request.headers))
    const { scope = 'compute' } = request.routeOptions.config
    if (scope !== 'any') assertScope(request.caller, scope)
  }
}

/** The token that a request carries. */
export function bearerToken(headers: IncomingHttpHeaders): string {
  const own = headers['x-session-token']
  if (typeof own === 'string' && own) return own
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (token) return token
  throw new CarrelError('unauthenticated', 'Cannot authenticate: no bearer token was sent')
}
