import { globSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { project } from '../project.js'
import { changedFiles } from './changed-files.js'
import { databasesOf } from './databases.js'
import { ImportGraph } from './import-graph.js'

/**
 * @typedef {{ file: string, database: import('./databases.js').TestedDatabase }} TestFile relative to the project
 * @typedef {{ unit: TestFile[], host: TestFile[] }} TestFiles tests that need no more than their own process, and tests
 *   against the real thing, which share the host; sorted, and each once for every database on which it runs
 */

const unitPatterns = ['src/**/*.test.ts', 'sdk/**/*.test.ts', 'web/src/**/*.test.ts', 'scripts/**/*.test.js']
const hostPatterns = ['test/**/*.test.ts']

/**
 * Returns the test files to run.
 * @param {string[]} wanted files, folders or patterns; none means all
 * @param {{ changed?: boolean }} [options] `changed`: only those that the change can reach
 * @returns {TestFiles}
 */
export function findTestFiles(wanted, { changed = false } = {}) {
  const reached = changed ? new ImportGraph(project.root).reaching(changedFiles(project.root)) : undefined
  const find = (/** @type {string[]} */ patterns) =>
    globSync(patterns, { cwd: project.root, exclude: ['**/node_modules/**'] })
      .filter((file) => isWanted(file, wanted) && (reached?.has(file) ?? true))
      .toSorted()
      .flatMap((file) => databasesOf(file).map((database) => ({ file, database })))
  return { unit: find(unitPatterns), host: find(hostPatterns) }
}

/**
 * @param {string} file
 * @param {string[]} wanted
 */
export function isWanted(file, wanted) {
  if (wanted.length === 0) return true
  return wanted.some((each) => {
    const pattern = each.replace(/^\.\//, '').replace(/\/$/, '')
    return matchesGlob(file, pattern) || matchesGlob(file, `${pattern}/**`)
  })
}
