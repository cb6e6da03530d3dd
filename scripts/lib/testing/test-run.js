import { availableParallelism } from 'node:os'
import { clearLanes } from './clear-lanes.js'
import { Failures } from './failures.js'
import { runGates } from './gates.js'
import { testLanes } from './lanes.js'
import { killLeftovers, runVariable } from './leftovers.js'
import { Tally } from './tally.js'
import { findTestFiles } from './test-files.js'
import { runTestFile } from './test-file-run.js'
import { duration, formatFile, formatTest } from './test-report.js'

/** A file may build an image first; one that takes longer hangs. */
const fileTimeoutMs = 10 * 60_000

/** Runs the gates and all test files, or some files alone, and prints what comes of it. */
export class TestRun {
  #tally = new Tally()
  #id = `${process.pid}-${Date.now()}`
  #files = 0
  #failures = new Failures()
  #whole = new AbortController()

  /** Ends the run early: what runs is killed and counts as failed, what did not run counts as failed. @param {string} reason */
  end(reason) {
    this.#whole.abort(new Error(reason))
  }

  /**
   * @param {string[]} wanted files, folders or patterns; none means everything
   * @returns {Promise<Tally>}
   */
  async run(wanted) {
    const { unit, host } = findTestFiles(wanted)
    if (wanted.length === 0) await this.#runGates()
    const own = { env: process.env }
    await this.#runFiles(
      unit,
      Array.from({ length: availableParallelism() }, () => own),
    )
    const lanes = host.length > 0 ? testLanes(process.env) : []
    await clearLanes(lanes)
    await this.#runFiles(host, lanes)
    // Monitors and lxcfs outlive their servers.
    const left = killLeftovers(this.#id).filter((command) => !/^carrel-monitor |\/lxcfs /.test(command))
    await clearLanes(lanes)
    if (left.length > 0)
      console.log(`\nLeft running by the tests and ended now:\n${left.map((line) => `  ${line}`).join('\n')}`)
    if (this.#failures.any) console.log(`\nFailed:\n${this.#failures.text}`)
    if (this.#tally.passed + this.#tally.failed === 0) console.log('No test was found.')
    return this.#tally
  }

  async #runGates() {
    await runGates(({ name, passed, output, durationMs }) => {
      console.log(`${passed ? '✔' : '✖'} ${name}  ${duration(durationMs)}${passed ? '' : `\n${output.trim()}`}`)
      this.#count(passed ? 'passed' : 'failed', { file: name })
    })
  }

  /**
   * @param {string[]} files
   * @param {import('./lanes.js').Lane[]} lanes each runs one file at a time
   */
  async #runFiles(files, lanes) {
    const waiting = [...files]
    const needed = lanes.slice(0, files.length)
    const runs = needed.map(async ({ env }) => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
        await this.#runFile(file, env, needed.length === 1)
    })
    await Promise.all(runs)
  }

  /**
   * @param {string} file
   * @param {NodeJS.ProcessEnv} env
   * @param {boolean} everyTest whether to print each test when it ends
   */
  async #runFile(file, env, everyTest) {
    if (this.#whole.signal.aborted) {
      console.log(`✖ ${file}  not run: ${this.#whole.signal.reason.message}`)
      return this.#count('failed', { file, error: this.#whole.signal.reason })
    }
    const id = `${this.#id}/${(this.#files += 1)}`
    const tooLong = new AbortController()
    const timer = setTimeout(() => {
      tooLong.abort(new Error(`The file took more than ${fileTimeoutMs / 60_000} minutes and was ended.`))
    }, fileTimeoutMs)
    const signal = AbortSignal.any([this.#whole.signal, tooLong.signal])
    signal.addEventListener('abort', () => killLeftovers(id))
    if (everyTest) console.log(`  ${file}`)
    const result = await runTestFile(file, {
      signal,
      env: { ...env, [runVariable]: id },
      onTest: everyTest ? (test) => console.log(formatTest(test)) : undefined,
    })
    clearTimeout(timer)
    console.log(formatFile(result))
    for (const { outcome, name, error } of result.tests)
      this.#count(outcome, { file, name: name === file ? undefined : name, error })
  }

  /**
   * @param {'passed' | 'failed' | 'skipped'} outcome
   * @param {import('./failures.js').Failure} test
   */
  #count(outcome, test) {
    this.#tally[outcome] += 1
    if (outcome === 'failed') this.#failures.add(test)
  }
}
