import { CarrelApiError, CarrelConnectionError } from './errors.ts'

/**
 * What makes a second try safe. `repeatable`: asking twice does no harm, by nature or by an Idempotency-Key.
 * `refused`: only when the server said that it did nothing. `never`: the body can't be sent again.
 */
export type RetryPolicy = 'repeatable' | 'refused' | 'never'

/** Longest pause that is made for a server's `Retry-After`; beyond it the caller gets the error. */
const maxRetryAfterMs = 20_000
const firstDelayMs = 100
const maxDelayMs = 3_000

/** Milliseconds to wait before the next try, undefined when there shall be none. `attempt` counts from 0. */
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

/** Doubles from 100 ms to 3 s; up to half of it is chance, so that many clients don't come back at once. */
export function backoffMs(attempt: number): number {
  const ms = Math.min(firstDelayMs * 2 ** attempt, maxDelayMs)
  return ms * (0.5 + Math.random() / 2)
}

/** True while the first request with the same key still runs: a wait for it is no failed try. */
export function isInProgress(error: unknown): boolean {
  return error instanceof CarrelApiError && error.code === 'IDEMPOTENCY_IN_PROGRESS'
}

/** A server that isn't there, or a name that isn't known, is an answer; a cut connection is a hiccup. */
function isHiccup(error: CarrelConnectionError): boolean {
  return error.code !== 'ECONNREFUSED' && error.code !== 'ENOTFOUND'
}

function isWorthRepeating(error: CarrelApiError, policy: RetryPolicy): boolean {
  // It runs: asking again would run it twice. Who wants its end finds it by the error's `details.processId`.
  if (error.code === 'PROCESS_GOES_ON') return false
  if (isInProgress(error) || error.status === 503) return true
  if (error.status === 429) return error.retryAfterMs !== undefined
  return policy === 'repeatable' && (error.status === 502 || error.status === 504)
}
