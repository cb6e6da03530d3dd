import { CarrelTimeoutError } from './errors.ts'

/** Combines the caller's signal with a time limit. The reason of the combined signal is the error to throw. */
export class Deadline {
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs undefined for no limit */
  constructor(signal: AbortSignal | undefined, timeoutMs: number | undefined) {
    const timeout = new AbortController()
    this.signal = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => timeout.abort(new CarrelTimeoutError(timeoutMs)), timeoutMs)
    }
  }

  /** Stops the timer; the caller's own signal stays in effect. */
  clear(): void {
    clearTimeout(this.#timer)
  }
}
