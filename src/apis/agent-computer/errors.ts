import { Type } from 'typebox'
import type { ErrorCode } from '../../errors.ts'
import type { ErrorEnvelope } from '../../http/error-envelope.ts'
import type { Instructions } from '../../http/surface.ts'
import { openEnvelope, ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'

export const instructions: Instructions = {
  out_of_credits: 'Open topupUrl to see the ways to pay.',
  spending_limit_reached:
    'A spending limit of this account or token is used up. Wait until resetsAt, or ask an admin to raise the limit (PATCH /v1/billing/preferences).',
  route_not_found: 'GET /openapi/agent-computer.json lists every route with its method.',
  method_not_allowed: 'GET /openapi/agent-computer.json lists every route with its method.',
}

/** Returns the code in lower case; an address without a route has the code `not_found`. */
function codeOf(code: ErrorCode): string {
  return code === 'route_not_found' ? 'not_found' : code
}

/** Agent Computer's envelope: `error` has the code and the sentence; the fields that Carrel adds are beside `error`. */
export const envelope: ErrorEnvelope = {
  name: 'AgentComputerError',
  schema: Type.Object(
    {
      error: Type.Object({
        code: Type.String({ description: 'What went wrong, for programs, such as not_found' }),
        message: Type.String({ description: 'What went wrong, in a sentence' }),
      }),
      ...ownErrorFields,
    },
    openEnvelope,
  ),
  body: (error, requestId) => ({
    ...ownErrorFieldsOf(error, requestId, instructions),
    error: { code: codeOf(error.code), message: error.message },
  }),
  codeOf,
}
