import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Lets go on, for a while and unread, a body that was refused before all of it had come. A connection that is closed at once
 * takes the answer with it: its client, which still sends, would hear of a reset instead of the reason.
 */
export function drainRequest(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection')
  request.raw.resume()
  const timer = setTimeout(() => {
    if (!request.raw.complete) request.raw.destroy()
  }, drainMs)
  reply.raw.once('close', () => {
    if (request.raw.complete) clearTimeout(timer)
  })
  timer.unref()
}

const drainMs = 10_000
