import { CarrelTimeoutError } from './errors.ts'

/** One signal for "the caller gave up" and "the time is over"; its reason is what to throw. */
export class Deadline {
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs undefined is no limit */
  constructor(signal: AbortSignal | undefined, timeoutMs: number | undefined) {
    const timeout = new AbortController()
    this.signal = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => timeout.abort(new CarrelTimeoutError(timeoutMs)), timeoutMs)
    }
  }

  /** Stops the clock; the caller's own signal still counts. */
  clear(): void {
    clearTimeout(this.#timer)
  }
}
