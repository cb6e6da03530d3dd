import { CarrelApiError, CarrelConnectionError } from './errors.ts'

/**
 * When a request may be retried. `repeatable`: repeating it is harmless, by nature or because of an Idempotency-Key.
 * `refused`: only if the server reported that it did nothing. `never`: the body cannot be sent again.
 */
export type RetryPolicy = 'repeatable' | 'refused' | 'never'

/** Longest `Retry-After` that is waited for; with a longer one the caller gets the error. */
const maxRetryAfterMs = 20_000
const firstDelayMs = 100
const maxDelayMs = 3_000

/**
 * Returns the milliseconds to wait before the next attempt; undefined for no further attempt. `attempt` counts from 0.
 */
export function retryDelayMs(error: unknown, attempt: number, policy: RetryPolicy): number | undefined {
  if (policy === 'never') return undefined
  if (error instanceof CarrelConnectionError) {
    return policy === 'repeatable' && isHiccup(error) ? backoffMs(attempt) : undefined
  }
  if (!(error instanceof CarrelApiError) || !error.retryable) return undefined
  if (error.retryAfterMs !== undefined && error.retryAfterMs > maxRetryAfterMs) return undefined
  if (!isWorthRepeating(error, policy)) return undefined
  return Math.max(error.retryAfterMs ?? 0, backoffMs(attempt))
}

/**
 * Returns a delay that doubles from 100 ms to 3 s. Up to half of it is random, so that many clients do not return at
 * once.
 */
export function backoffMs(attempt: number): number {
  const ms = Math.min(firstDelayMs * 2 ** attempt, maxDelayMs)
  return ms * (0.5 + Math.random() / 2)
}

/** Returns whether the first request with the same key is still running: waiting for it is no failed attempt. */
export function isInProgress(error: unknown): boolean {
  return error instanceof CarrelApiError && error.code === 'IDEMPOTENCY_IN_PROGRESS'
}

/**
 * Returns whether a failure is temporary, such as a broken connection. A refused connection or an unknown host is an
 * answer.
 */
function isHiccup(error: CarrelConnectionError): boolean {
  return error.code !== 'ECONNREFUSED' && error.code !== 'ENOTFOUND'
}

function isWorthRepeating(error: CarrelApiError, policy: RetryPolicy): boolean {
  // The process is running, and a retry would run it twice. The caller finds it by the error's `details.processId`.
  if (error.code === 'PROCESS_GOES_ON') return false
  if (isInProgress(error) || error.status === 503) return true
  if (error.status === 429) return error.retryAfterMs !== undefined
  return policy === 'repeatable' && (error.status === 502 || error.status === 504)
}
