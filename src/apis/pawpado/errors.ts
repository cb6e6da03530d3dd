import type { CarrelError, ErrorCode } from '../../errors.ts'

/** The codes of Pawpado's catalogue that have another name in the one table; the rest keep theirs. */
const catalogue: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'VALIDATION_ERROR',
  out_of_credits: 'INSUFFICIENT_CREDITS',
  no_capacity: 'AWS_CAPACITY',
}

export function codeOf(code: ErrorCode): string {
  return catalogue[code] ?? code.toUpperCase()
}

/** Pawpado's error body: `error`, a code for programs, and `message`, a sentence for people. Nothing else. */
export function errorBody(error: CarrelError): { error: string; message: string } {
  return { error: codeOf(error.code), message: messageOf(error) }
}

function messageOf({ code, message, details }: CarrelError): string {
  // The document's own words.
  if (code === 'unauthenticated') return 'Missing or invalid bearer token'
  if (code === 'out_of_credits' && 'minimumMicros' in details)
    return 'Balance is below the 15-minute minimum to start a session'
  const { field } = details
  return typeof field === 'string' && !message.includes(field) ? `${field}: ${message}` : message
}
