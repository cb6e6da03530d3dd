import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import { requestError } from '../../http/validation-error.ts'

/** What this surface calls them; the others go by their own names. */
const names: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'VALIDATION_ERROR',
  out_of_credits: 'INSUFFICIENT_CREDITS',
}

/** Pawpado's error body: a code and a sentence. */
export function errorBody({ code, message }: CarrelError): Record<string, unknown> {
  return { error: names[code] ?? code.toUpperCase(), message }
}

/** Answers an error of a route in this surface's form. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = requestError(error, request)
  if (known.status >= 500) request.log.error({ err: known.cause ?? known, url: request.url }, known.message)
  if (known.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  return reply.status(known.status).send(errorBody(known))
}
