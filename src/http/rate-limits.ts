import type { FastifyInstance } from 'fastify'
import type { Settings } from '../config/settings.ts'
import type { Context, ServerState } from '../engine/context.ts'
import { CarrelError } from '../errors.ts'
import type { Authenticated } from '../engine/identity/accounts/tokens.ts'
import { NetworkCounter } from './network-counter.ts'
import { networkOfRequest } from './network-of.ts'
import { RequestCounter, type Counted } from './request-counter.ts'

/** Limits the requests of one network to sign-in routes. Added before authentication, so that it precedes any work. */
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

/** How much work a request is: `poll` is for repeated requests about the progress of something. */
export type RateClass = 'read' | 'write' | 'poll'

/** How many requests a surface accepts within a minute. Surfaces that share a policy share its counters. */
export interface RateLimitPolicy {
  /**
   * Requests that are counted together: those of a user in all their workspaces, or those of an account by all its
   * tokens.
   */
  by: 'user' | 'account'
  /** By class; 0 is no limit. Without `poll`, polls count as reads. */
  perMinute: (settings: Settings) => { read: number; write: number; poll?: number }
  /** Whether the account of the server's owner is limited too. */
  limitsOwner: boolean
  /**
   * Whether requests to addresses without a route count too: by token, or by network where the token is missing or
   * wrong.
   */
  countsUnknown: boolean
}

/** A user in a workspace, a workspace whose token belongs to no user, or the visitors of a share. */
type Caller = Pick<Authenticated, 'accountId' | 'userId' | 'shareId'>

interface Counters {
  known: Classes<RequestCounter>
  unauthenticated: Classes<NetworkCounter>
}
type Classes<Counter> = Record<RateClass, Counter | undefined>

/** Counts the requests of accounts, and of networks that send no valid token, by the policy of each surface. */
export class AccountLimits {
  readonly #settings: Settings
  readonly #ownerId: string
  readonly #counters = new Map<RateLimitPolicy, Counters>()

  constructor({ settings, server }: Pick<Context, 'settings'> & { server: Pick<ServerState, 'ownerId'> }) {
    this.#settings = settings
    this.#ownerId = server.ownerId
  }

  /**
   * Counts a request; returns undefined where there is no limit. The visitors of a share are counted by themselves, so
   * that they use up no requests of the account that shares.
   */
  count(policy: RateLimitPolicy, { accountId, userId, shareId }: Caller, rateClass: RateClass): Counted | undefined {
    if (shareId !== undefined) return this.#of(policy).known[rateClass]?.count(`share ${shareId}`)
    if (accountId === this.#ownerId && !policy.limitsOwner) return undefined
    return this.#of(policy).known[rateClass]?.count(policy.by === 'user' ? (userId ?? accountId) : accountId)
  }

  /** Counts a request without a valid token to an address without a route. */
  countUnauthenticated(policy: RateLimitPolicy, network: string, rateClass: RateClass): Counted | undefined {
    return policy.countsUnknown ? this.#of(policy).unauthenticated[rateClass]?.count(network) : undefined
  }

  #of(policy: RateLimitPolicy): Counters {
    const known = this.#counters.get(policy)
    if (known) return known
    const perMinute = policy.perMinute(this.#settings)
    const counters = {
      known: byClass(perMinute, (limit) => new RequestCounter(limit)),
      unauthenticated: byClass(perMinute, (limit) => new NetworkCounter(limit)),
    }
    this.#counters.set(policy, counters)
    return counters
  }
}

function byClass<Counter>(
  { read, write, poll }: ReturnType<RateLimitPolicy['perMinute']>,
  make: (limit: number) => Counter,
): Classes<Counter> {
  const counterOf = (limit: number) => (limit === 0 ? undefined : make(limit))
  const reads = counterOf(read)
  return { read: reads, write: counterOf(write), poll: poll === undefined ? reads : counterOf(poll) }
}

/** Returns the class of a request by its method, for routes that declare none. */
export function rateClassOf(method: string): RateClass {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write'
}

/** Throws `rate_limited` when a request exceeds its limit. */
export function assertWithin({ isOver, limit, resetAtMs }: Counted): void {
  if (!isOver) return
  throw new CarrelError(
    'rate_limited',
    `Cannot accept the request: the limit of ${limit} requests a minute is reached`,
    { details: { limit, retryAfter: secondsTo(resetAtMs) } },
  )
}

/** Returns the rate limit headers of a response; the reset is in Unix seconds. */
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
