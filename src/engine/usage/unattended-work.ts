/**
 * What work costs that nothing started here answers for: a thread of a kernel, a program that a command left behind. It is judged by the processor time
 * that the whole computer used while nothing of ours ran in it, added up, so that it does not matter when somebody looks and how the work is spread.
 *
 * A kernel that waits wakes up now and then, which is free. Of what is used beyond that each `thresholdMicros` costs the time that it took, at
 * most a second more than it kept one processor busy: a thread that works all the time costs all the time, one that works now and then up to a second each time.
 */
export class UnattendedWork {
  #excessMicros = 0
  /** How long the excess has been coming together. */
  #sinceMs = 0

  /** Takes a stretch of time and what was used in it; gives how many milliseconds cost, never more than have passed since the last that did. */
  costMs(passedMs: number, cpuMicros: number): number {
    this.#excessMicros = Math.max(0, this.#excessMicros + cpuMicros - passedMs * freeMicrosPerMs)
    this.#sinceMs = this.#excessMicros === 0 ? 0 : this.#sinceMs + passedMs
    if (this.#excessMicros < thresholdMicros) return 0
    const costMs = Math.min(this.#sinceMs, spreadMs + this.#excessMicros / 1000)
    this.forget()
    return costMs
  }

  /** What came together is paid otherwise. */
  forget(): void {
    this.#excessMicros = this.#sinceMs = 0
  }
}

/** Half a percent of a processor: a JavaScript kernel that waits uses a third of that, a Python one nothing. */
export const freeMicrosPerMs = 5
/** Ten times what a kernel does after a call, and what a program of any use takes within milliseconds. */
export const thresholdMicros = 10_000
const spreadMs = 1000
