/**
 * Computes what work costs that no process started here accounts for: a thread of a kernel, a program that a command
 * left running. The work is judged by the processor time that the whole computer uses while none of our processes runs
 * in it, summed up, so that it does not matter when it is checked and how it is spread.
 *
 * An idle kernel wakes up now and then, and collects the garbage of calls, which is free: half a percent of a
 * processor, of which up to 100 ms accumulate as an allowance. Beyond that, each `thresholdMicros` of processor time
 * costs the time in which it was used, at most one second more than it kept one processor busy: a thread that works all
 * the time costs all the time, one that works now and then up to a second each time.
 */
export class UnattendedWork {
  /** Below zero while an allowance remains. */
  #excessMicros = -allowanceMicros
  /** For how long the excess has accumulated. */
  #sinceMs = 0

  /**
   * Takes a span of time and the processor time used in it. Returns how many milliseconds cost, never more than have
   * passed since the last ones that did.
   */
  costMs(passedMs: number, cpuMicros: number): number {
    this.#excessMicros = Math.max(-allowanceMicros, this.#excessMicros + cpuMicros - passedMs * freeMicrosPerMs)
    this.#sinceMs = this.#excessMicros <= 0 ? 0 : this.#sinceMs + passedMs
    if (this.#excessMicros < thresholdMicros) return 0
    const costMs = Math.min(this.#sinceMs, maxExtraMs + this.#excessMicros / 1000)
    this.#excessMicros = this.#sinceMs = 0
    return costMs
  }

  /** Discards the excess, which is paid otherwise. */
  discard(): void {
    this.#excessMicros = Math.min(0, this.#excessMicros)
    this.#sinceMs = 0
  }
}

/** Half a percent of a processor: an idle JavaScript kernel uses a third of that, a Python kernel nothing. */
export const freeMicrosPerMs = 5
/** What any useful program takes within milliseconds. */
export const thresholdMicros = 10_000
/** V8 collects garbage for some 60 ms after a call that created 200,000 objects. */
const allowanceMicros = 100_000
const maxExtraMs = 1000
