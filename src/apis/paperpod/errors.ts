import { errorTable, type CarrelError, type ErrorCode } from '../../errors.ts'

/** PaperPod's error body: `error`, `code`, `action`, `agentInstruction`, and the facts of the case. */
export function errorBody(error: CarrelError, requestId: string): Record<string, unknown> {
  const row = errorTable[error.code]
  return {
    ...error.details,
    error: error.message,
    code: error.code.toUpperCase(),
    action: row.action,
    agentInstruction: row.instruction,
    retryable: row.retryable,
    requestId,
  }
}

/** What every route can answer that makes or starts a sandbox. */
export const sandboxErrors = [
  'out_of_credits',
  'spending_limit_reached',
  'limit_reached',
  'no_capacity',
  'image_missing',
] as const satisfies ErrorCode[]
