import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { CarrelError } from '../errors.ts'
import { errorAnswer } from './error-envelope.ts'
import { logFailure } from './log-failure.ts'
import { errorPage } from './pages/error-page.ts'
import { pageHeaders } from './pages/page.ts'
import { loggedPath, pathOf } from './path-of.ts'
import { prefersHtml } from './prefers-html.ts'
import { retryAfterS } from './retry-after.ts'
import { surfaceOf, type Surface } from './surface.ts'
import { requestError } from './validation-error.ts'

export type ErrorReply = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply

/**
 * Returns what answers a request with an error: in the envelope of the surface that its address belongs to, or with a
 * page for a person.
 */
export function errorReply(surfaces: readonly Surface[]): ErrorReply {
  return (error, request, reply) => {
    const known = withHints(requestError(error, request), request.hints)
    logFailure(request.log, known, { path: loggedPath(request.url) })
    if (known.code === 'no_capacity') reply.header('retry-after', String(retryAfterS))
    if (known.code === 'rate_limited') reply.header('retry-after', String(known.details.retryAfter))
    if (known.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
    if (known.code === 'range_not_satisfiable')
      reply.header('content-range', `bytes */${String(known.details.sizeBytes)}`)
    const { envelope, signInPath } = request.routeOptions?.config?.surface ?? surfaceOf(surfaces, pathOf(request.url))
    const { status, text } = errorAnswer(envelope, known, request.id, request)
    void reply.header('x-request-id', request.id)
    if (isPerson(request) && known.code === 'method_not_allowed' && pathOf(request.url) === signInPath)
      return reply.redirect('/sign-in', 303)
    if (isPerson(request)) return reply.status(status).headers(pageHeaders).send(errorPage(known, request.id))
    return reply.status(status).type('application/json; charset=utf-8').send(text)
  }
}

/** Whether a browser asked: one that shows pages, and has no token to send. */
function isPerson({ headers }: FastifyRequest): boolean {
  return headers.authorization === undefined && headers['x-session-token'] === undefined && prefersHtml(headers)
}

/** Adds what was ignored to the refusal of a request, for clients that show no headers. */
function withHints(error: CarrelError, hints: readonly string[] = []): CarrelError {
  if (error.code !== 'invalid_request' || hints.length === 0) return error
  const { code, message, details, cause } = error
  return new CarrelError(code, `${message}. ${hints.join(' ')}`, { details, cause })
}
