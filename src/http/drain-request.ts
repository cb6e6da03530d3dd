import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../config/limits.ts'

const drained = new WeakSet<object>()

/**
 * Lets go on, unread, the body of a request that was answered before all of it had come. A connection that is closed at once takes the
 * answer with it: its client, which still sends, would hear of a reset instead of the reason. Only for a while, and of strangers only a
 * little: a body without end would keep the server reading.
 */
export function drainRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length']) > 0
  if (!hasBody || drained.has(raw)) return
  reply.removeHeader('connection')
  drained.add(raw)
  const isKnown = (request.caller as FastifyRequest['caller'] | undefined) !== undefined
  let left: number = isKnown ? limits.bodyDrainBytes : limits.anonymousBodyDrainBytes
  const take = (chunk: Buffer) => {
    left -= chunk.length
    if (left >= 0) return
    raw.removeListener('data', take)
    raw.pause()
    // What was answered can be taken, and nothing more is read.
    setTimeout(() => raw.destroy(), limits.finalResponseMs).unref()
  }
  raw.on('data', take)
  raw.resume()
  const timer = setTimeout(() => {
    if (!raw.complete) raw.destroy()
  }, limits.bodyDrainMs).unref()
  raw.once('close', () => clearTimeout(timer))
}
