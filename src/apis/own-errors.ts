import { Type } from 'typebox'
import { errorTable, type CarrelError } from '../errors.ts'
import { instructionFor, type Instructions } from '../http/surface.ts'

/**
 * Returns the fields that Carrel adds to an error, on surfaces whose clients accept them: facts, and what to do next.
 */
export function ownErrorFieldsOf(
  error: CarrelError,
  requestId: string,
  instructions: Instructions,
): Record<string, unknown> {
  const { retryable, action } = errorTable[error.code]
  const code = error.code.toUpperCase()
  return {
    ...error.details,
    code,
    action,
    agentInstruction: instructionFor(error.code, instructions),
    retryable,
    requestId,
  }
}

/** The schemas of the fields that Carrel adds to an error. */
export const ownErrorFields = {
  code: Type.String({ description: 'What went wrong, for programs, such as NOT_FOUND' }),
  action: Type.String({ description: 'What a program can do next, such as FIX_REQUEST' }),
  agentInstruction: Type.String({ description: 'What to do next, in a sentence' }),
  retryable: Type.Boolean({ description: 'Whether the same request can succeed later' }),
  requestId: Type.String({ description: 'Identifies the request in the log of the server' }),
  field: Type.Optional(Type.String({ description: 'The field that is wrong' })),
}

/** The schema of the sentence that says what went wrong, in the envelopes that have it in `error`. */
export const errorSentence = Type.String({ description: 'What went wrong, in a sentence' })

/** The options of an envelope that can have more fields. */
export const openEnvelope = {
  additionalProperties: true,
  description: 'More fields give the facts of the error, such as a limit',
}
