import { DatabaseError } from 'pg'
import { CarrelError } from '../../errors.ts'

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
 * reached or interrupts the work, `no_capacity` when its disk or its connections are used up, and otherwise the error
 * itself.
 */
export function failureOf(error: unknown): unknown {
  const isAnswer = error instanceof DatabaseError
  const code = isAnswer ? (error.code ?? '') : ''
  if (code.startsWith('53'))
    return new CarrelError('no_capacity', 'The database has no room or no connection left', { cause: error })
  // 08: connection; 57: ended, cancelled or starting; 25P03: idle for too long; 55P03: waited for a lock for too long.
  if (/^(?:08|57|25P03|55P03)/.test(code) || (!isAnswer && isOfConnection(error)))
    return new CarrelError('unavailable', 'The database does not answer', { cause: error })
  return error
}

/** `pg` says in words that a connection was lost or none was free; the network says it by a code. */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.every(isOfConnection)
  const { code } = error as NodeJS.ErrnoException
  return /^E[A-Z_]+$/.test(code ?? '') || /connect|connection|not queryable/i.test(error.message)
}
