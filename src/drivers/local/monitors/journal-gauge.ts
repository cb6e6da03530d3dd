import type { Monitors } from './monitors.ts'

/** The last measurement of the bytes that the output of running processes takes on the disk. */
export class JournalGauge {
  readonly #monitors: Pick<Monitors, 'journalBytes'>
  #isMeasuring = false
  bytes = 0

  constructor(monitors: Pick<Monitors, 'journalBytes'>) {
    this.#monitors = monitors
  }

  /** Measures in the background, as a monitor may not answer. Does nothing while a measurement is in progress. */
  measure(): void {
    if (this.#isMeasuring) return
    this.#isMeasuring = true
    void this.#monitors
      .journalBytes()
      .then((bytes) => {
        this.bytes = bytes
      })
      .catch(() => {})
      .finally(() => {
        this.#isMeasuring = false
      })
  }
}
