import type { FastifyInstance } from 'fastify'
import type { Context, ServerState } from '../engine/context.ts'
import { CarrelError } from '../errors.ts'
import type { Authenticated } from '../engine/identity/accounts/tokens.ts'
import { NetworkCounter } from './network-counter.ts'
import { networkOfRequest } from './network-of.ts'
import { RequestCounter, type Counted } from './request-counter.ts'

/** Limits the requests of one network to routes by which people sign in. Added before authentication: it comes before any work. */
export function addSignInLimit(app: FastifyInstance, { settings }: Pick<Context, 'settings'>): void {
  if (settings.signInsPerMinute === 0) return
  const counter = new NetworkCounter(settings.signInsPerMinute)
  app.addHook('onRequest', async (request, reply) => {
    if (!request.routeOptions.config.signIn) return
    const counted = counter.count(networkOfRequest(request))
    reply.headers(rateLimitHeaders(counted))
    assertWithin(counted)
  })
}

interface Classes<Counter> {
  read: Counter | undefined
  write: Counter | undefined
  /** Asking again and again how far something is. */
  poll: Counter | undefined
}

/** Who asks: a person in a workspace, or a workspace whose token is nobody's. */
type Asking = Pick<Authenticated, 'accountId' | 'userId'>

/**
 * What may be asked within a minute. Pawpado's table counts a person, by all their tokens, keys and workspaces together; the settings of
 * the other surfaces count an account, by all its tokens. The owner of the server is limited by the former alone.
 */
export class AccountLimits {
  readonly #pawpado: Classes<RequestCounter>
  readonly #strangers: Classes<NetworkCounter>
  readonly #others: Classes<RequestCounter>
  readonly #ownerId: string

  constructor({ settings, server }: Pick<Context, 'settings'> & { server: Pick<ServerState, 'ownerId'> }) {
    this.#ownerId = server.ownerId
    this.#pawpado = {
      read: counterOf(settings.pawpadoReadsPerMinute),
      write: counterOf(settings.pawpadoWritesPerMinute),
      poll: counterOf(settings.pawpadoPollsPerMinute),
    }
    this.#strangers = {
      read: networkCounterOf(settings.pawpadoReadsPerMinute),
      write: networkCounterOf(settings.pawpadoWritesPerMinute),
      poll: networkCounterOf(settings.pawpadoPollsPerMinute),
    }
    const read = counterOf(settings.readsPerMinute)
    this.#others = { read, write: counterOf(settings.writesPerMinute), poll: read }
  }

  /** Counts a request to a route; undefined where there is no limit. */
  count({ accountId, userId }: Asking, method: string, route: string): Counted | undefined {
    const kind = classOf(method, route)
    if (isPawpado(route)) return this.#pawpado[kind]?.count(userId ?? accountId)
    return accountId === this.#ownerId ? undefined : this.#others[kind]?.count(accountId)
  }

  /** Counts a request to an address that is none, of whom nobody knows: by the network, on the surface that tells its limits always. */
  countStranger(network: string, method: string, path: string): Counted | undefined {
    return isPawpado(path) ? this.#strangers[classOf(method, path)]?.count(network) : undefined
  }
}

export function isPawpado(path: string): boolean {
  return path === '/api/v1' || path.startsWith('/api/v1/')
}

function classOf(method: string, route: string): keyof Classes<unknown> {
  if (method !== 'GET' && method !== 'HEAD') return 'write'
  return route === '/api/v1/sessions/poll' ? 'poll' : 'read'
}

/** Rejects with `rate_limited` a request that is over its limit. */
export function assertWithin({ isOver, limit, resetAtMs }: Counted): void {
  if (!isOver) return
  throw new CarrelError(
    'rate_limited',
    `Cannot take the request: there were ${limit} within a minute, which is the limit`,
    { details: { limit, retryAfter: secondsTo(resetAtMs) } },
  )
}

/** The reset is in seconds of Unix time. */
export function rateLimitHeaders({ limit, remaining, resetAtMs, isOver }: Counted): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(resetAtMs / 1000)),
    ...(isOver ? { 'retry-after': String(secondsTo(resetAtMs)) } : {}),
  }
}

function secondsTo(timeMs: number): number {
  return Math.max(1, Math.ceil((timeMs - Date.now()) / 1000))
}

/** 0 is no limit. */
function counterOf(perMinute: number): RequestCounter | undefined {
  return perMinute === 0 ? undefined : new RequestCounter(perMinute)
}

function networkCounterOf(perMinute: number): NetworkCounter | undefined {
  return perMinute === 0 ? undefined : new NetworkCounter(perMinute)
}
