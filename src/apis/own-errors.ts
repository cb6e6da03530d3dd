import { Type } from 'typebox'
import { errorTable, type CarrelError } from '../errors.ts'

/** What Carrel tells of an error on every surface whose clients do not mind: the facts of the case, and what can be done next. */
export function ownErrorFieldsOf(error: CarrelError, requestId: string): Record<string, unknown> {
  const { retryable, action, instruction } = errorTable[error.code]
  const code = error.code.toUpperCase()
  return { ...error.details, code, action, agentInstruction: instruction, retryable, requestId }
}

/** Their schemas. */
export const ownErrorFields = {
  code: Type.String({ description: 'What went wrong, for programs, such as NOT_FOUND' }),
  action: Type.String({ description: 'What a program can do next, such as FIX_REQUEST' }),
  agentInstruction: Type.String({ description: 'What to do next, in a sentence' }),
  retryable: Type.Boolean({ description: 'Whether the same request can succeed later' }),
  requestId: Type.String({ description: 'Names the request in the log of the server' }),
  field: Type.Optional(Type.String({ description: 'The field that is wrong' })),
}
