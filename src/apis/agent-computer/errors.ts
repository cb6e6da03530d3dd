import { Type } from 'typebox'
import type { ErrorCode } from '../../errors.ts'
import type { ErrorEnvelope } from '../../http/error-envelope.ts'
import type { Instructions } from '../../http/surface.ts'
import { openEnvelope, ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'

export const instructions: Instructions = {
  out_of_credits: 'Open topupUrl to see how to pay here.',
  spending_limit_reached:
    'A spending limit of this account or token is used up. Wait until resetsAt, or ask an admin to raise the limit (PATCH /v1/billing/preferences).',
  route_not_found: 'GET /openapi/agent-computer.json lists every route with its method.',
  method_not_allowed: 'GET /openapi/agent-computer.json lists every route with its method.',
}

/** In lower case; `not_found` is also the code of an address without a route. */
function codeOf(code: ErrorCode): string {
  return code === 'route_not_found' ? 'not_found' : code
}

/** Agent Computer's envelope: `error` holds code and sentence, and Carrel's own fields stand beside it. */
export const envelope: ErrorEnvelope = {
  name: 'AgentComputerError',
  schema: Type.Object(
    {
      error: Type.Object({
        code: Type.String({ description: 'What went wrong, for programs, such as not_found' }),
        message: Type.String({ description: 'The same in a sentence' }),
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
