import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Engine } from '../engine/engine.ts'
import { claimKey, completeKey, maxStoredBytes, releaseKey, type Claim } from '../engine/idempotency/keys.ts'
import { LargeAnswer } from './large-answer.ts'

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
export function addIdempotency(
  app: FastifyInstance,
  engine: Pick<Engine, 'db' | 'driver' | 'server' | 'responseSizes'>,
): void {
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
    if (claim.hasStarted) reply.header(replayed, 'true')
    const maxBytes = maxStoredBytes(engine, claim)
    const kept = payload instanceof LargeAnswer ? await headOf(payload, maxBytes) : payload
    if (typeof kept === 'string' && Buffer.byteLength(kept) <= maxBytes)
      await completeKey(engine, claim, { status: reply.statusCode, body: kept })
    // A repetition asks for the end of its process again, where there was one.
    else await releaseKey(engine, claim)
    return kept
  })
}

/** All of a large answer, when that can be kept; else the answer, from its beginning. */
async function headOf(answer: LargeAnswer, maxBytes: number): Promise<string | LargeAnswer> {
  const parts: Buffer[] = []
  let bytes = 0
  // Left before its end, an iteration would end the answer.
  for await (const part of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.length
    if (bytes > maxBytes) break
  }
  if (bytes <= maxBytes) return Buffer.concat(parts).toString()
  for (const part of parts.toReversed()) answer.unshift(part)
  return answer
}

/** Refusals that end with a top-up, or when something else ended. */
const passing = new Set([402, 429])
const replayed = 'idempotency-replayed'
