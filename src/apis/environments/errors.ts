import { Type } from 'typebox'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import type { ErrorEnvelope, Refused } from '../../http/error-envelope.ts'
import type { Instructions } from '../../http/surface.ts'
import { errorSentence, openEnvelope, ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'
import { invalidPart } from './invalid-part.ts'

export const instructions: Instructions = {
  unauthenticated:
    'Send a valid token in "Authorization: Bearer <token>"; POST /auth/github returns a new one, POST /auth/refresh renews one.',
  out_of_credits: 'POST /billing/deposit returns a link to a payment page; topupUrl shows all ways to pay.',
  route_not_found: 'GET /openapi/environments.json lists every route with its method.',
  method_not_allowed: 'GET /openapi/environments.json lists every route with its method.',
}

function codeOf(code: ErrorCode): string {
  return code.toUpperCase()
}

/**
 * Returns FastAPI's error body: `detail` is the code and the sentence, or a list of what is wrong with the request. The
 * fields that Carrel adds are beside `detail`.
 */
function errorBody(error: CarrelError, requestId: string, request: Refused): Record<string, unknown> {
  const part = invalidPart(error, request)
  const detail = part ? [part] : { code: codeOf(error.code), message: error.message }
  return { ...ownErrorFieldsOf(error, requestId, instructions), error: error.message, detail }
}

const more = { error: errorSentence, ...ownErrorFields }

const errorAnswer = Type.Object(
  {
    detail: Type.Object({
      code: Type.String({ description: 'What went wrong, for programs, such as NOT_FOUND' }),
      message: Type.String({ description: 'What went wrong, in a sentence' }),
    }),
    ...more,
  },
  openEnvelope,
)

const invalidAnswer = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
          description: 'The place of the value: body, query or path, then the path of the field',
        }),
        msg: Type.String({ description: 'What is wrong with the value, in a sentence' }),
        type: Type.String({ description: 'What is wrong with the value, for programs, such as missing' }),
      }),
    ),
    ...more,
  },
  openEnvelope,
)

export const envelope: ErrorEnvelope = {
  name: 'EnvironmentsError',
  schema: errorAnswer,
  body: errorBody,
  codeOf,
  // An invalid value is 422, as in FastAPI.
  statusOf: (error, request) => (invalidPart(error, request) ? 422 : error.status),
  invalid: { name: 'EnvironmentsInvalid', schema: invalidAnswer, status: 422 },
}
