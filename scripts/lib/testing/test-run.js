import { availableParallelism } from 'node:os'
import { clearLanes } from './clear-lanes.js'
import { duration } from '../duration.js'
import { runGates } from './gates.js'
import { testLanes } from './lanes.js'
import { killLeftovers, runVariable } from './leftovers.js'
import { PostgresServer } from './postgres-server.js'
import { Results } from './results.js'
import { runTestFile } from './run-test-file.js'
import { withTimeLimit } from './time-limit.js'

/** A file may build an image first. */
const fileTimeoutMs = 10 * 60_000

/** Runs the gates and test files, and prints what comes of them. */
export class TestRun {
  results = new Results()
  #id = `${process.pid}-${Date.now()}`
  #files = 0
  #ended = new AbortController()
  /** @type {PostgresServer | undefined} */
  #postgres

  /** Ends the run early: every file that runs, or has not run yet, has failed. @param {string} reason */
  end(reason) {
    this.#ended.abort(new Error(reason))
  }

  async runGates() {
    await runGates(({ name, passed, output, durationMs }) => {
      console.log(`${passed ? '✔' : '✖'} ${name}  ${duration(durationMs)}${passed ? '' : `\n${output}`}`)
      this.results.add({ passed: Number(passed), failed: Number(!passed), skipped: 0 })
      if (!passed) this.results.list(name, 'see above')
    })
  }

  /** @param {import('./test-files.js').TestFiles} files */
  async runFiles({ unit, host }) {
    const needsPostgres = [...unit, ...host].some(({ database }) => database === 'postgres')
    if (needsPostgres) this.#postgres = await PostgresServer.start()
    try {
      await this.#runAll({ unit, host })
    } finally {
      await this.#postgres?.stop()
    }
  }

  /** @param {import('./test-files.js').TestFiles} files */
  async #runAll({ unit, host }) {
    const own = { env: process.env }
    await this.#runInLanes(
      unit,
      Array.from({ length: availableParallelism() }, () => own),
    )
    const lanes = host.length > 0 ? testLanes(process.env) : []
    await clearLanes(lanes)
    await this.#runInLanes(host, lanes)
    // Monitors and lxcfs outlive their servers.
    const left = killLeftovers(this.#id).filter((command) => !/^carrel-monitor |\/lxcfs /.test(command))
    await clearLanes(lanes)
    if (left.length > 0) console.log(`\nLeft running by the tests and ended now:\n  ${left.join('\n  ')}`)
  }

  /**
   * @param {import('./test-files.js').TestFile[]} files
   * @param {import('./lanes.js').Lane[]} lanes each runs one file at a time
   */
  async #runInLanes(files, lanes) {
    const queue = files.values()
    const needed = lanes.slice(0, files.length)
    const runLane = async (/** @type {import('./lanes.js').Lane} */ { env }) => {
      for (const file of queue) await this.#runFile(file, env, needed.length === 1)
    }
    await Promise.all(needed.map(runLane))
  }

  /**
   * @param {import('./test-files.js').TestFile} testFile
   * @param {NodeJS.ProcessEnv} laneEnv
   * @param {boolean} alone whether its tests are printed as they end, not only where one failed
   */
  async #runFile({ file, database }, laneEnv, alone) {
    const name = database === 'postgres' ? `${file} (postgres)` : file
    const ended = this.#ended.signal
    if (ended.aborted) {
      this.results.add({ passed: 0, failed: 1, skipped: 0 })
      return this.results.list(name, `Not run: ${ended.reason.message}`)
    }
    const id = `${this.#id}/${(this.#files += 1)}`
    const startedMs = Date.now()
    let output = ''
    if (alone) console.log(name)
    const onText = (/** @type {string} */ text) => void (alone ? process.stdout.write(text) : (output += text))
    // Test files that get no server run on SQLite.
    const server = database === 'postgres' ? this.#postgres?.url : undefined
    const env = { ...laneEnv, [runVariable]: id, CARREL_TEST_POSTGRES: server }
    const limit = { ended, limitMs: fileTimeoutMs, onAbort: () => killLeftovers(id) }
    const result = await withTimeLimit(limit, (signal) => runTestFile(file, { signal, env, onText }))
    const tests = result.passed + result.failed + result.skipped
    const mark = result.failed > 0 ? '✖' : '✔'
    console.log(`${mark} ${name}  ${tests} ${tests === 1 ? 'test' : 'tests'}  ${duration(Date.now() - startedMs)}`)
    if (result.failed > 0) process.stdout.write(output)
    this.results.add(result)
    for (const { names, error } of result.failures) this.results.list(name, error, names)
    for (const skip of result.skips) this.results.listSkip(name, skip)
  }
}
