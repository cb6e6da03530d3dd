import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { project } from '../project.js'

/** What the reporter says at the end of a file, which the line of the file says too. */
const countLine = /ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\D*$/

/**
 * Runs one test file in a process of its own. A file that ends before its tests are done has failed, whatever its
 * exit code, and so has one without tests.
 * @param {string} file relative to the project
 * @param {{ env: NodeJS.ProcessEnv, signal: AbortSignal, onText: (text: string) => void }} options `onText` gets what
 *   Node's own reporter says as tests end
 * @returns {Promise<FileResult>}
 */
export async function runTestFile(file, { env, signal, onText }) {
  const events = run({ files: [join(project.root, file)], cwd: project.root, signal, env, execArgv: [] })
  let counts = { passed: 0, failed: 0, skipped: 0 }
  /** @type {Failure[]} */
  let failures = []
  /** @type {Skip[]} */
  const skips = []
  /** @type {Map<number, string>} */
  const running = new Map()
  /** @type {string[]} names of the tests around the current one, by depth */
  const names = []
  let complete = false

  events.on('test:dequeue', ({ entryFile, testId, name }) => entryFile && running.set(testId, name))
  events.on('test:complete', ({ entryFile, testId }) => entryFile && running.delete(testId))
  events.on('test:start', ({ nesting, name }) => (names[nesting] = name))
  events.on('test:fail', ({ entryFile, nesting, name, todo, details }) => {
    const error = /** @type {TestError} */ (details.error)
    if (todo || error.failureType === 'subtestsFailed') return
    const fullName = [...names.slice(0, nesting), name].join(' › ')
    // The tests of a suite whose hook failed say only that they were cancelled.
    if (error.failureType === 'hookFailed')
      failures = failures.filter((failure) => !failure.names[0]?.startsWith(`${fullName} › `))
    failures.push(
      entryFile === undefined
        ? { names: [...running.values()], error: signal.aborted ? signal.reason : endOf(error) }
        : { names: [fullName], error: error.cause ?? error },
    )
  })
  events.on('test:pass', ({ nesting, name, skip }) => {
    if (skip !== undefined && skip !== false)
      skips.push({ name: [...names.slice(0, nesting), name].join(' › '), reason: skip === true ? '' : skip })
  })
  events.on('test:summary', ({ file: ofFile, counts: of }) => {
    if (ofFile !== undefined) complete = true
    const skipped = of.skipped + of.todo
    counts = { passed: of.passed, failed: of.tests - of.passed - skipped, skipped }
  })
  for await (const text of events.compose(new spec())) if (!countLine.test(text)) onText(String(text))

  if (!complete && failures.length === 0)
    failures.push({ names: [], error: 'The file ended before its tests were done, or holds none.' })
  if (failures.length > 0) counts.failed ||= 1
  return { ...counts, failures, skips }
}

/** @param {TestError} error of a file's process */
function endOf({ exitCode, signal }) {
  return `The file's process ended ${signal ? `by ${signal}` : `with exit code ${exitCode}`}.`
}

/**
 * @typedef {{ names: string[], error: unknown }} Failure what failed: tests, by their names, or the whole file while these ran
 * @typedef {{ name: string, reason: string }} Skip a test that was skipped, and why: empty where it does not say
 * @typedef {{ passed: number, failed: number, skipped: number, failures: Failure[], skips: Skip[] }} FileResult
 * @typedef {Error & { failureType?: string, exitCode?: number, signal?: string }} TestError
 */
