import { errorTable, type CarrelError } from '../../errors.ts'

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
