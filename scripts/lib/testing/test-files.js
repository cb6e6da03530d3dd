import { globSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { project } from '../project.js'

/** Tests that need no more than this process, and tests against the real thing, which share the host. */
const patterns = {
  unit: ['src/**/*.test.ts', 'sdk/**/*.test.ts', 'scripts/**/*.test.js'],
  host: ['test/**/*.test.ts'],
}

/**
 * The test files to run, relative to the project, sorted.
 * @param {string[]} wanted files, folders or patterns; none means all
 */
export function findTestFiles(wanted) {
  const exclude = ['**/node_modules/**']
  /** @param {string[]} found */
  const find = (found) =>
    globSync(found, { cwd: project.root, exclude })
      .filter((file) => isWanted(file, wanted))
      .toSorted()
  return { unit: find(patterns.unit), host: find(patterns.host) }
}

/**
 * @param {string} file
 * @param {string[]} wanted
 */
export function isWanted(file, wanted) {
  if (wanted.length === 0) return true
  return wanted.some((each) => {
    const pattern = each.replace(/^\.\//, '').replace(/\/$/, '')
    return file === pattern || file.startsWith(`${pattern}/`) || matchesGlob(file, pattern)
  })
}
