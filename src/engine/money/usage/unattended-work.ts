/**
 * What work costs that nothing started here answers for: a thread of a kernel, a program that a command left behind. It
 * is judged by the processor time that the whole computer used while nothing of ours ran in it, added up, so that it
 * does not matter when somebody looks and how the work is spread.
 *
 * A kernel that waits wakes up now and then, and clears up what calls left, which is free: half a percent of a
 * processor, of which up to 100 ms are saved up. Of what is used beyond that each `thresholdMicros` costs the time that
 * it took, at most a second more than it kept one processor busy: a thread that works all the time costs all the time,
 * one that works now and then up to a second each time.
 */
export class UnattendedWork {
  /** Below zero for what is saved up. */
  #excessMicros = -savedMicros
  /** How long the excess has been coming together. */
  #sinceMs = 0

  /**
   * Takes a stretch of time and what was used in it; gives how many milliseconds cost, never more than have passed
   * since the last that did.
   */
  costMs(passedMs: number, cpuMicros: number): number {
    this.#excessMicros = Math.max(-savedMicros, this.#excessMicros + cpuMicros - passedMs * freeMicrosPerMs)
    this.#sinceMs = this.#excessMicros <= 0 ? 0 : this.#sinceMs + passedMs
    if (this.#excessMicros < thresholdMicros) return 0
    const costMs = Math.min(this.#sinceMs, spreadMs + this.#excessMicros / 1000)
    this.#excessMicros = this.#sinceMs = 0
    return costMs
  }

  /** What came together is paid otherwise. */
  forget(): void {
    this.#excessMicros = Math.min(0, this.#excessMicros)
    this.#sinceMs = 0
  }
}

/** Half a percent of a processor: a JavaScript kernel that waits uses a third of that, a Python one nothing. */
export const freeMicrosPerMs = 5
/** What a program of any use takes within milliseconds. */
export const thresholdMicros = 10_000
/** V8 collects garbage for some 60 ms when a call has ended that made 200,000 objects. */
const savedMicros = 100_000
const spreadMs = 1000
