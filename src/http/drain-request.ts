import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../config/limits.ts'

const drained = new WeakSet<object>()

/**
 * Reads and drops the rest of a request's body after an early response. If the connection were closed at once, a client
 * that is still sending would see a reset instead of the response. Time and size are limited, more strictly for
 * anonymous clients, because an endless body would keep the server reading.
 */
export function drainRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length']) > 0
  if (!hasBody || drained.has(raw)) return
  reply.removeHeader('connection')
  drained.add(raw)
  const isAuthenticated = (request.caller as FastifyRequest['caller'] | undefined) !== undefined
  let left: number = isAuthenticated ? limits.bodyDrainBytes : limits.anonymousBodyDrainBytes
  const drop = (chunk: Buffer) => {
    left -= chunk.length
    if (left >= 0) return
    raw.removeListener('data', drop)
    raw.pause()
    // The client has time to read the response, but nothing more is read from it.
    setTimeout(() => raw.destroy(), limits.finalResponseMs).unref()
  }
  raw.on('data', drop)
  raw.resume()
  const timer = setTimeout(() => {
    if (!raw.complete) raw.destroy()
  }, limits.bodyDrainMs).unref()
  raw.once('close', () => clearTimeout(timer))
}
