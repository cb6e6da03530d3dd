import { join, relative } from 'node:path'
import { run } from 'node:test'
import { project } from '../project.js'

/** @typedef {import('./test-report.js').FileResult} FileResult */
/** @typedef {import('./test-report.js').TestResult} TestResult */

const outputLimit = 256 * 1024

/**
 * Runs one test file in a process of its own. A file that ends before it said that all its tests are done has
 * failed, whatever its exit code.
 * @param {string} file relative to the project
 * @param {{ env: NodeJS.ProcessEnv, signal: AbortSignal, onTest?: (test: TestResult) => void }} options
 * @returns {Promise<FileResult>}
 */
export async function runTestFile(file, { env, signal, onTest }) {
  const path = join(project.root, file)
  const startedMs = Date.now()
  /** @type {TestResult[]} */
  const tests = []
  /** @type {string[]} names of the tests around the current one, by depth */
  const names = []
  /** @type {string[]} */
  let notes = []
  let output = ''
  let summarized = false
  /** @type {Map<number | undefined, string>} */
  const running = new Map()

  /** @param {TestResult} test */
  const add = (test) => {
    tests.push(test)
    onTest?.(test)
  }

  const events = run({ files: [path], cwd: project.root, concurrency: 1, signal, env, execArgv: [] })
  for await (const event of /** @type {AsyncIterable<TestEvent>} */ (events)) {
    const { type, data } = event
    // The others are about the file as a whole.
    const inner = data.entryFile === path
    if (type === 'test:dequeue' && inner) running.set(data.testId, data.name)
    if (type === 'test:complete' && inner) running.delete(data.testId)
    if (type === 'test:start') names[data.nesting] = data.name
    if (type === 'test:diagnostic' && inner) notes.push(data.message)
    if (type === 'test:stdout' || type === 'test:stderr') output = (output + data.message).slice(-outputLimit)
    if (type === 'test:summary' && inner) summarized = true
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const name = [...names.slice(0, data.nesting), data.name].join(' › ')
    if (data.name === path) {
      if (type === 'test:fail') add(fileFailure(file, data, signal, [...running.values()]))
    } else if (data.details?.type === 'test') {
      add({ ...testResult(type, data), name, notes })
    } else if (data.details?.error?.failureType === 'hookFailed') {
      blameHook(tests, name, data)
    }
    notes = []
  }
  if (!summarized && !tests.some(({ outcome }) => outcome === 'failed')) {
    const error = 'The file ended before its tests were done, or holds none.'
    add({ name: file, durationMs: 0, outcome: 'failed', error, notes })
  }
  return { file, durationMs: Date.now() - startedMs, tests, output }
}

/**
 * @typedef {{ name: string, nesting: number, message: string, testId?: number, file?: string, entryFile?: string, line?: number, skip?: unknown, todo?: unknown,
 *   details?: { type?: string, duration_ms: number, error?: Error & { cause?: unknown, exitCode?: number, signal?: string, failureType?: string } } }} TestData
 * @typedef {{ type: string, data: TestData }} TestEvent the parts of node:test's events that are used here
 */

/**
 * @param {string} type
 * @param {TestData} data
 */
function testResult(type, data) {
  const skipped = (data.skip ?? data.todo ?? false) !== false
  const failed = type === 'test:fail' && !skipped
  /** @type {TestResult['outcome']} */
  const outcome = skipped ? 'skipped' : failed ? 'failed' : 'passed'
  const error = data.details?.error
  return {
    outcome,
    durationMs: data.details?.duration_ms ?? 0,
    error: error?.cause ?? error,
    place: `${relative(project.root, data.file ?? '')}:${data.line ?? 0}`,
  }
}

/**
 * Tests whose suite's hook failed say only that they were cancelled; what failed is the hook.
 * @param {TestResult[]} tests
 * @param {string} suite
 * @param {TestData} data
 */
function blameHook(tests, suite, { details }) {
  const error = details?.error?.cause ?? details?.error
  for (const test of tests) if (test.outcome === 'failed' && test.name.startsWith(`${suite} › `)) test.error = error
}

/**
 * @param {string} file
 * @param {TestData} data
 * @param {AbortSignal} signal
 * @param {string[]} running
 * @returns {TestResult}
 */
function fileFailure(file, { details }, signal, running) {
  const { exitCode, signal: killedBy } = details?.error ?? {}
  const end = killedBy ? `by ${killedBy}` : `with exit code ${exitCode}`
  const error = signal.aborted ? String(signal.reason?.message ?? signal.reason) : `The file's process ended ${end}.`
  const notes = running.map((name) => `was running: ${name}`)
  return { name: file, durationMs: details?.duration_ms ?? 0, outcome: 'failed', error, notes }
}
