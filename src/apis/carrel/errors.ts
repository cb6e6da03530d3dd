import { Type } from 'typebox'
import type { ErrorEnvelope } from '../../http/error-envelope.ts'
import type { Instructions } from '../../http/surface.ts'
import { errorSentence, openEnvelope, ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'

export const instructions: Instructions = {
  unauthenticated:
    'Send a valid token in "Authorization: Bearer <token>"; "carrel login" or POST /login returns a new one.',
  out_of_credits: 'Open topupUrl to see the ways to pay; "carrel topup" prints a link to a payment page.',
  spending_limit_reached:
    'A spending limit of this account or token is used up. Wait until resetsAt, or ask an admin to raise the limit ("carrel limits").',
  route_not_found: 'GET /openapi.json lists every route with its method.',
  method_not_allowed: 'GET /openapi.json lists every route with its method.',
}

/** Carrel's own envelope: `error`, a sentence, and the fields that Carrel adds to every error. */
export const envelope: ErrorEnvelope = {
  name: 'Error',
  schema: Type.Object({ error: errorSentence, ...ownErrorFields }, openEnvelope),
  body: (error, requestId) => ({ ...ownErrorFieldsOf(error, requestId, instructions), error: error.message }),
  codeOf: (code) => code.toUpperCase(),
}
