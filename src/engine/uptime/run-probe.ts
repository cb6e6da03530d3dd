import type { UptimeStatus } from './check-counts.ts'

/**
 * Finds out how a service works, by using it. Rejects when it does not work. Gives up when the signal aborts, as far as
 * it can. `degraded` is for a service that works with a helper that does not; `unknown` for one that cannot be tried.
 */
export type Probe = (signal: AbortSignal) => Promise<Exclude<UptimeStatus, 'down'>>

export interface CheckResult {
  status: UptimeStatus
  /** The time from the request to the answer or the failure, in whole milliseconds; 0 where nothing was tried. */
  responseMs: number
  /** Why the service is down. For the log alone, as the text can name anything. */
  error?: unknown
}

interface Bounds {
  /** The service is down if it has not answered after this time. */
  timeoutMs: number
  /** The service is degraded if it takes longer. */
  slowMs: number
  /** Ends the probe early. */
  stopping: AbortSignal
}

/** Runs a probe, and returns what it found within the time limit, whether or not the probe ever ends. */
export async function runProbe(probe: Probe, { timeoutMs, slowMs, stopping }: Bounds): Promise<CheckResult> {
  const tooLate = new AbortController()
  const timer = setTimeout(
    () => tooLate.abort(new Error(`Cannot use the service: it has not answered within ${timeoutMs} ms`)),
    timeoutMs,
  )
  const signal = AbortSignal.any([stopping, tooLate.signal])
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  const begun = performance.now()
  try {
    const found = await Promise.race([probe(signal), aborted])
    const tookMs = performance.now() - begun
    if (found === 'unknown') return { status: 'unknown', responseMs: 0 }
    return { status: tookMs > slowMs ? 'degraded' : found, responseMs: Math.round(tookMs) }
  } catch (error) {
    return { status: 'down', responseMs: Math.round(performance.now() - begun), error }
  } finally {
    clearTimeout(timer)
  }
}
