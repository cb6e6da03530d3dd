import { DatabaseError } from 'pg'
import { DatabaseFailure } from '../../database-failure.ts'

/** The SQLSTATE of a row whose key exists already, as written by a transaction that this one could not see. */
export const uniqueViolation = '23505'
/** SQLSTATEs of transactions that did not fit between others: a failed serialization, a deadlock, a taken key. */
const conflicts = new Set(['40001', '40P01', uniqueViolation])

/** Returns whether a transaction that failed with this error may succeed when it is repeated. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(codeOf(error) ?? '')
}

/** Returns the SQLSTATE of an error or of what caused it; undefined for an error of something else. */
export function codeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DatabaseError) return cause.code
  }
  return undefined
}

/**
 * Returns what a client may see of a failure, with the failure as its cause: `unavailable` when the database cannot be
 * reached, interrupts the work or refuses what a server has to do, `no_capacity` when its disk or its connections are
 * used up, and otherwise the error itself.
 */
export function failureOf(error: unknown): unknown {
  const isAnswer = error instanceof DatabaseError
  const code = isAnswer ? (error.code ?? '') : ''
  const kind = kinds.find(({ codes }) => codes.test(code))
  if (kind) return new DatabaseFailure(kind.as, kind.why, error)
  if (!isAnswer && isOfConnection(error)) return unanswered(error)
  return error
}

/** Returns the failure of a connection that was not made: whatever the reason, a later attempt may succeed. */
export function connectionFailureOf(error: unknown): DatabaseFailure {
  const failure = failureOf(error)
  return failure instanceof DatabaseFailure ? failure : unanswered(failure)
}

/** Returns whether a failure says that the connection is of no more use, or leads to the wrong server. */
export function endsConnection(failure: unknown): boolean {
  const code = codeOf(failure)
  return code === undefined ? failure instanceof DatabaseFailure : /^(?:08|57P|25006|25P03)/.test(code)
}

export function unanswered(cause?: unknown): DatabaseFailure {
  return new DatabaseFailure('unavailable', 'does not answer', cause)
}

export function readOnly(): DatabaseFailure {
  return new DatabaseFailure('unavailable', 'is read-only')
}

/** By the beginnings of SQLSTATEs. */
const kinds: readonly { codes: RegExp; as: 'unavailable' | 'no_capacity'; why: string }[] = [
  { codes: /^53/, as: 'no_capacity', why: 'has no room or no connection left' },
  // A standby, or one that its operator has set so.
  { codes: /^25006/, as: 'unavailable', why: 'is read-only' },
  // A connection; one that is ended, cancelled or starting; an idle transaction; a wait for a lock.
  { codes: /^(?:08|57|25P03|55P03)/, as: 'unavailable', why: 'does not answer' },
  { codes: /^40/, as: 'unavailable', why: 'could not do this beside other changes' },
  // A role, a password, a privilege or a database that the operator has changed.
  { codes: /^(?:28|3D|42501)/, as: 'unavailable', why: 'refuses this server' },
  { codes: /^58/, as: 'unavailable', why: 'has a fault' },
]

/** `pg` says in words that a connection was lost or none was free; the network says it by a code. */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.every(isOfConnection)
  const { code } = error as NodeJS.ErrnoException
  return /^E(?!RR_)[A-Z_]+$/.test(code ?? '') || /connect|connection|not queryable|read timeout/i.test(error.message)
}
