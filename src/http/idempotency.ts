import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Engine } from '../engine/engine.ts'
import { abandonKey, claimKey, completeKey, releaseKey, type Claim } from '../engine/idempotency/once.ts'
import { limits } from '../config/limits.ts'

const claims = new WeakMap<object, Claim>()

/** The claim that a request has on its `Idempotency-Key`; undefined when it came without one. */
export function claimOf(request: object): Claim | undefined {
  return claims.get(request)
}

/** The `Idempotency-Key` of a request; undefined when it has none, or an empty one. */
export function idempotencyKeyOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = headers['idempotency-key']
  return typeof key === 'string' && key !== '' ? key : undefined
}

/**
 * Makes POST routes with `config.idempotent` answer a repeated `Idempotency-Key` as they did the first time. Answers that may
 * change by themselves (402, 429 and 5xx) are not kept. A route that starts a process has to give it the id of the request's
 * claim, or to wait for it when it began already.
 */
export function addIdempotency(app: FastifyInstance, engine: Engine): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = idempotencyKeyOf(request)
    if (!request.routeOptions.config.idempotent || key === undefined) return
    const { accountId } = request.caller
    const found = await claimKey(engine, {
      accountId,
      key,
      method: request.method,
      path: request.url,
      body: request.body,
    })
    if ('key' in found) return void claims.set(request, found)
    return reply.status(found.status).header(replayed, 'true').type('application/json; charset=utf-8').send(found.body)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request)
    if (!claim) return payload
    claims.delete(request)
    if (reply.statusCode >= 500 || passing.has(reply.statusCode)) {
      await releaseKey(engine, claim)
      return payload
    }
    if (claim.began) reply.header(replayed, 'true')
    if (typeof payload === 'string' && payload.length <= limits.idempotentResponseBytes)
      await completeKey(engine, claim, { status: reply.statusCode, body: payload })
    else await abandonKey(engine, claim)
    return payload
  })
}

/** Refusals that end with a top-up, or when something else ended. */
const passing = new Set([402, 429])
const replayed = 'idempotency-replayed'
