import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Engine } from '../engine/engine.ts'
import { abandonKey, claimKey, completeKey } from '../engine/idempotency/once.ts'
import { limits } from '../config/limits.ts'

const claimed = new WeakMap<FastifyRequest, string>()

/**
 * Makes POST routes with `config.idempotent` answer a repeated `Idempotency-Key` as they did the first time. Answers that may
 * change by themselves (429 and 5xx) are not kept.
 */
export function addIdempotency(app: FastifyInstance, engine: Engine): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (!request.routeOptions.config.idempotent || typeof key !== 'string' || key === '') return
    const { accountId } = request.caller
    const stored = await claimKey(engine, {
      accountId,
      key,
      method: request.method,
      path: request.url,
      body: request.body,
    })
    if (!stored) return void claimed.set(request, key)
    return reply
      .status(stored.status)
      .header('idempotency-replayed', 'true')
      .type('application/json; charset=utf-8')
      .send(stored.body)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = claimed.get(request)
    if (key === undefined) return payload
    claimed.delete(request)
    const { accountId } = request.caller
    const body = typeof payload === 'string' && payload.length <= limits.idempotentResponseBytes ? payload : undefined
    const final = reply.statusCode < 500 && reply.statusCode !== 429
    if (body !== undefined && final) await completeKey(engine, accountId, key, { status: reply.statusCode, body })
    else await abandonKey(engine, accountId, key)
    return payload
  })
}
