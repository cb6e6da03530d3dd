import { Type } from 'typebox'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import type { ErrorEnvelope } from '../../http/error-envelope.ts'
import type { Instructions } from '../../http/surface.ts'
import { object } from '../schema.ts'

/** Shown only in the reference: the envelope has no field for them. */
export const instructions: Instructions = {
  out_of_credits: 'POST /api/v1/credits/topup returns a link to a payment page.',
  route_not_found: 'GET /api/v1/openapi.json lists every route with its method.',
  method_not_allowed: 'GET /api/v1/openapi.json lists every route with its method.',
}

/** The codes of Pawpado's catalogue that differ from those of the error table. */
const catalogue: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'VALIDATION_ERROR',
  out_of_credits: 'INSUFFICIENT_CREDITS',
  no_capacity: 'AWS_CAPACITY',
}

function codeOf(code: ErrorCode): string {
  return catalogue[code] ?? code.toUpperCase()
}

function messageOf({ code, message, details }: CarrelError): string {
  // The exact words of the document.
  if (code === 'unauthenticated') return 'Missing or invalid bearer token'
  if (code === 'out_of_credits' && 'minimumMicros' in details)
    return 'Balance is below the 15-minute minimum to start a session'
  const { field } = details
  return typeof field === 'string' && !message.includes(field) ? `${field}: ${message}` : message
}

/** Pawpado's envelope: `error`, a code for programs, and `message`, a sentence for readers. It has no other field. */
export const envelope = {
  name: 'PawpadoError',
  schema: object({
    error: Type.String({ description: 'What went wrong, for programs, such as VALIDATION_ERROR' }),
    message: Type.String({ description: 'What went wrong, in a sentence; names the field if the body is invalid' }),
  }),
  body: (error: CarrelError) => ({ error: codeOf(error.code), message: messageOf(error) }),
  codeOf,
} satisfies ErrorEnvelope
