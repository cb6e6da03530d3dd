import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Engine } from '../engine/engine.ts'
import { claimKey, completeKey, maxStoredBytes, releaseKey, type Claim } from '../engine/idempotency/keys.ts'
import { LargeResponse } from './large-response.ts'
import { logFailure } from './log-failure.ts'

const claims = new WeakMap<object, Claim>()

/** Returns a request's claim on its `Idempotency-Key`; undefined when it was sent without one. */
export function claimOf(request: object): Claim | undefined {
  return claims.get(request)
}

/** Returns the `Idempotency-Key` of a request; undefined when it is missing or empty. */
export function idempotencyKeyOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = headers['idempotency-key']
  return typeof key === 'string' && key !== '' ? key : undefined
}

/**
 * Makes POST routes with `config.idempotent` answer a repeated `Idempotency-Key` as they did the first time. Responses
 * that can change by themselves (402, 429 and 5xx) are not kept, nor is 421: the server that it names answers anew. A route that starts a process must give it the id of
 * the request's claim, or wait for the process when an earlier request has started it. What was done is answered also
 * where that cannot be stored.
 */
export function addIdempotency(
  app: FastifyInstance,
  engine: Pick<Engine, 'db' | 'node' | 'driver' | 'server' | 'responseSizes' | 'openClaims'>,
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
    const recorded = (end: Promise<void>) => end.catch((error: unknown) => logFailure(request.log, error))
    if (reply.statusCode >= 500 || temporary.has(reply.statusCode)) {
      await recorded(releaseKey(engine, claim))
      return payload
    }
    if (claim.hasStarted) reply.header(replayed, 'true')
    const maxBytes = maxStoredBytes(engine, claim)
    const kept = payload instanceof LargeResponse ? await headOf(payload, maxBytes) : payload
    if (typeof kept === 'string' && Buffer.byteLength(kept) <= maxBytes)
      await recorded(completeKey(engine, claim, { status: reply.statusCode, body: kept }))
    // A repeated request waits for its process again, if there was one.
    else await recorded(releaseKey(engine, claim))
    return kept
  })
}

/** Returns all of a large response if it is small enough to be kept; otherwise the response, unread. */
async function headOf(response: LargeResponse, maxBytes: number): Promise<string | LargeResponse> {
  const parts: Buffer[] = []
  let bytes = 0
  // Leaving the loop early would otherwise destroy the response.
  for await (const part of response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.length
    if (bytes > maxBytes) break
  }
  if (bytes <= maxBytes) return Buffer.concat(parts).toString()
  for (const part of parts.toReversed()) response.unshift(part)
  return response
}

/** Refusals that end by themselves, after a top-up or once other work has ended, and those that another server answers. */
const temporary = new Set([402, 421, 429])
const replayed = 'idempotency-replayed'
