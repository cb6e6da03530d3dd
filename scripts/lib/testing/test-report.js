import { inspect } from 'node:util'

/** @typedef {{ name: string, durationMs: number, outcome: 'passed' | 'failed' | 'skipped', error?: unknown, place?: string, notes: string[] }} TestResult */
/** @typedef {{ file: string, durationMs: number, tests: TestResult[], output: string }} FileResult */

const marks = { passed: '✔', failed: '✖', skipped: '○' }

/**
 * What is printed of a test file: a line, and failures in full with what the file printed.
 * @param {FileResult} result
 */
export function formatFile({ file, durationMs, tests, output }) {
  const failed = tests.filter(({ outcome }) => outcome === 'failed')
  const mark = failed.length > 0 ? marks.failed : marks.passed
  const lines = [`${mark} ${file}  ${tests.length} ${tests.length === 1 ? 'test' : 'tests'}  ${duration(durationMs)}`]
  for (const test of failed) lines.push(...formatFailure(test))
  if (failed.length > 0 && output.trim() !== '') lines.push('    printed by the file:', indent(output.trimEnd(), 6))
  return lines.join('\n')
}

/**
 * The line of one test.
 * @param {TestResult} test
 */
export function formatTest({ name, outcome, durationMs }) {
  return `    ${marks[outcome]} ${name}  ${outcome === 'skipped' ? 'skipped' : duration(durationMs)}`
}

/** @param {TestResult} test */
function formatFailure({ name, error, place, notes }) {
  const text = typeof error === 'string' ? error : withoutInternals(inspect(error, { depth: 6 }))
  return [
    `  ✖ ${name}`,
    ...(place ? [`    at ${place}`] : []),
    indent(text, 4),
    ...notes.map((note) => `    # ${note}`),
  ]
}

/**
 * Without the lines of a stack that are in Node itself; what ends such a line, as an opening brace, is kept.
 * @param {string} text
 */
function withoutInternals(text) {
  return text.replaceAll(/\n *at [^\n]*\(?node:internal[^\n]*?\)?( [{[])?(?=\n|$)/g, '$1')
}

/** @param {number} durationMs */
export function duration(durationMs) {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}

/**
 * @param {string} text
 * @param {number} columns
 */
function indent(text, columns) {
  return text.replaceAll(/^/gm, ' '.repeat(columns))
}
