import type { FastifyReply, FastifyRequest } from 'fastify'
import { idempotencyKeyOf } from './idempotency.ts'
import { onDisconnect } from './on-disconnect.ts'

/**
 * Returns a signal that aborts when the client leaves before it has its response. It never aborts for a request with an
 * Idempotency-Key, whose client can still fetch the response.
 */
export function clientLeft(
  request: Pick<FastifyRequest, 'headers' | 'raw'>,
  { raw }: Pick<FastifyReply, 'raw'>,
): AbortSignal {
  const left = new AbortController()
  if (idempotencyKeyOf(request) !== undefined) return left.signal
  const leave = () => {
    if (!raw.writableFinished) left.abort()
  }
  // Of a response that is queued after another one, only the connection says that its client has left.
  const stopWatching = onDisconnect(request.raw.socket, leave)
  raw.once('close', () => {
    stopWatching()
    leave()
  })
  return left.signal
}
