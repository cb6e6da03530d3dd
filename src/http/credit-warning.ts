import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Engine } from '../engine/engine.ts'

/**
 * Adds `X-Credits-Remaining`, the dollars that are left, to the responses to an account whose credit is running out.
 */
export function addCreditWarning(app: FastifyInstance, engine: Pick<Engine, 'credit'>): void {
  app.addHook('onSend', async (request: Partial<Pick<FastifyRequest, 'caller'>>, reply) => {
    const leftMicros = request.caller && engine.credit.low(request.caller.accountId)
    if (leftMicros !== undefined) reply.header('x-credits-remaining', (leftMicros / 1_000_000).toFixed(6))
  })
}
