import { inspect } from 'node:util'

/** At the end of a run this many tests of a file that failed for the same cause are named. */
const maxNames = 5
const maxCauseLength = 300

/** Counts what came of the tests and keeps the failures by file and cause. */
export class Results {
  passed = 0
  failed = 0
  skipped = 0
  /** @type {Map<string, string[]>} names of tests, by file and cause */
  #failures = new Map()

  /** @param {{ passed: number, failed: number, skipped: number }} counts */
  add({ passed, failed, skipped }) {
    this.passed += passed
    this.failed += failed
    this.skipped += skipped
  }

  /**
   * Lists a failure, without counting it.
   * @param {string} file
   * @param {unknown} error
   * @param {string[]} names of the tests that failed, none where it is the file itself
   */
  list(file, error, names = []) {
    const message = error instanceof Error ? error.message : typeof error === 'string' ? error : inspect(error)
    const key = `${file}: ${message.replaceAll(/\s+/g, ' ').trim().slice(0, maxCauseLength)}`
    this.#failures.set(key, [...(this.#failures.get(key) ?? []), ...names])
  }

  /** A run without any test has failed. */
  get succeeded() {
    return this.failed === 0 && this.passed > 0
  }

  /** The list of failures and, as its last line, the counts; skipped tests are named only where there are any. */
  get text() {
    const lines = [...this.#failures].flatMap(([key, names]) => [
      `  ${key}`,
      ...names.slice(0, maxNames).map((name) => `    ✖ ${name}`),
      ...(names.length > maxNames ? [`    ✖ and ${names.length - maxNames} more`] : []),
    ])
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    const list = lines.length > 0 ? `\nFailed:\n${lines.join('\n')}\n` : ''
    return `${list}\n${this.passed} passed, ${this.failed} failed${skipped}`
  }
}
