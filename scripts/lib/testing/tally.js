/** Counts tests by how they ended. */
export class Tally {
  passed = 0
  failed = 0
  skipped = 0

  /** The line that closes a run, for people and programs. */
  get line() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    return `${this.passed} passed, ${this.failed} failed${skipped}`
  }

  /** A run that ran no test has failed. */
  get succeeded() {
    return this.failed === 0 && this.passed > 0
  }
}
