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
  /** @type {string[]} */
  #skips = []

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

  /**
   * Lists a skipped test, without counting it.
   * @param {string} file
   * @param {import('./run-test-file.js').Skip} skip
   */
  listSkip(file, { name, reason }) {
    this.#skips.push(`${file}: ${name}${reason === '' ? '' : `: ${reason.slice(0, maxCauseLength)}`}`)
  }

  /** A run without any test has failed. */
  get succeeded() {
    return this.failed === 0 && this.passed > 0
  }

  /** The lists of skipped and failed tests and, as the last line, the counts; what there is none of is not named. */
  get text() {
    const lines = [...this.#failures].flatMap(([key, names]) => [
      `  ${key}`,
      ...names.slice(0, maxNames).map((name) => `    ✖ ${name}`),
      ...(names.length > maxNames ? [`    ✖ and ${names.length - maxNames} more`] : []),
    ])
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    const skips = this.#skips.length > 0 ? `\nSkipped:\n  ${this.#skips.join('\n  ')}\n` : ''
    const list = lines.length > 0 ? `\nFailed:\n${lines.join('\n')}\n` : ''
    return `${skips}${list}\n${this.passed} passed, ${this.failed} failed${skipped}`
  }
}
