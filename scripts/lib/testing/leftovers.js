import { readFileSync, readdirSync } from 'node:fs'

/** Test files get this variable; what they start inherits it, wherever it goes. */
export const runVariable = 'CARREL_TEST_RUN'

/**
 * Kills the processes that carry the run's id in their environment, but for this one.
 * @param {string} id of a whole run, or `<run>/<number>` of one test file
 * @returns {string[]} the command lines of those that were killed
 */
export function killLeftovers(id) {
  const killed = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid || !carries(pid, id)) continue
    const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    try {
      process.kill(Number(pid), 'SIGKILL')
      killed.push(command)
    } catch {
      // It ended by itself.
    }
  }
  return killed
}

/** Whether a test started it, of this run or of an earlier one. @param {number} pid */
export function isOfTests(pid) {
  return runOf(String(pid)) !== undefined
}

/**
 * @param {string} pid
 * @param {string} id
 */
function carries(pid, id) {
  const value = runOf(pid)
  return value === id || value?.startsWith(`${id}/`) === true
}

/** The id that a process carries. @param {string} pid */
function runOf(pid) {
  const prefix = `${runVariable}=`
  return readText(`/proc/${pid}/environ`)
    .split('\0')
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length)
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
