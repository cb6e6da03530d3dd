import type { FastifyInstance, FastifyReply } from 'fastify'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Engine } from '../engine/engine.ts'
import { CarrelError } from '../errors.ts'

const windowS = 60

/** Limits the requests of one address to routes by which people sign in. Added before authentication: it comes before any work. */
export function addSignInLimit(app: FastifyInstance, { settings }: Pick<Engine, 'settings'>): void {
  if (settings.signInsPerMinute === 0) return
  const limiter = new RateLimiterMemory({ points: settings.signInsPerMinute, duration: windowS })
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.signIn) await consume(limiter, request.ip, reply)
  })
}

async function consume(limiter: RateLimiterMemory, key: string, reply: FastifyReply): Promise<void> {
  try {
    tell(reply, limiter.points, await limiter.consume(key))
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    tell(reply, limiter.points, refused)
    const retryAfter = Math.max(1, Math.ceil(refused.msBeforeNext / 1000))
    reply.header('retry-after', retryAfter)
    throw new CarrelError(
      'rate_limited',
      `Cannot take the request: there were ${limiter.points} within a minute, which is the limit`,
      { details: { limit: limiter.points, retryAfter } },
    )
  }
}

/** The reset is in seconds of Unix time. */
function tell(reply: FastifyReply, points: number, state: RateLimiterRes): void {
  reply.header('x-ratelimit-limit', points)
  reply.header('x-ratelimit-remaining', Math.max(0, state.remainingPoints))
  reply.header('x-ratelimit-reset', Math.ceil((Date.now() + state.msBeforeNext) / 1000))
}
