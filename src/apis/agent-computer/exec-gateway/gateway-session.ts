import type { IncomingHttpHeaders } from 'node:http'
import { createContextKey } from '@connectrpc/connect'
import type { FastifyRequest } from 'fastify'
import { enterSession, type EnteredSession } from '../../../engine/computers/access-sessions/enter-session.ts'
import type { Engine } from '../../../engine/engine.ts'
import { unauthenticated, type Authenticated } from '../../../engine/identity/accounts/tokens.ts'

/** What a call at the gateway knows of its client. */
export interface GatewayClient {
  session: EnteredSession
  /** The user of the computer that the client names; undefined for the image's own. */
  user: string | undefined
  /** Cuts the connection of a client that does not read why its session has ended. */
  cut: () => void
}

const clients = new WeakMap<FastifyRequest, GatewayClient>()

export const clientKey = createContextKey<GatewayClient | undefined>(undefined)

/** Returns the caller of a request by its access session. Throws `unauthenticated`. */
export function callerOfGateway(engine: Engine): (request: FastifyRequest) => Promise<Authenticated> {
  return async (request) => {
    const session = await enterSession(engine, 'exec', tokenOf(request))
    const cut = () => request.raw.socket.destroy()
    clients.set(request, { session, user: userOf(request.headers), cut })
    return session.caller
  }
}

export function clientOf(request: FastifyRequest): GatewayClient {
  return clients.get(request)!
}

/** Returns the token of a request: of a header, or of the query, where the session's `access_url` has it. */
function tokenOf({ headers, query }: FastifyRequest): string {
  const own = headers['x-access-token']
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  const { access_token: inQuery } = query as Record<string, unknown>
  for (const token of [own, bearer, inQuery]) if (typeof token === 'string' && token !== '') return token
  throw unauthenticated('no token of an access session was sent')
}

/** Clients of E2B name a user by Basic authentication without a password. */
function userOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const [, encoded] = /^Basic +([\w+/=]{1,256}) *$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  return Buffer.from(encoded, 'base64').toString('utf8').split(':', 1)[0] || undefined
}
