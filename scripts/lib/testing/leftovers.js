import { readFileSync, readdirSync } from 'node:fs'

/** Test files get this variable; what they start inherits it, daemons too. */
export const runVariable = 'CARREL_TEST_RUN'

/**
 * Kills the processes that carry this id, and returns their command lines.
 * @param {string} id of a whole run, or `<run>/<number>` of one of its test files
 */
export function killLeftovers(id) {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!(pid > 0) || !`${runOf(pid)}/`.startsWith(`${id}/`)) return []
    const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    try {
      process.kill(pid, 'SIGKILL')
      return [command]
    } catch {
      // It ended by itself.
      return []
    }
  })
}

/** Whether a test started it, of this run or of an earlier one. @param {number} pid */
export function isOfTests(pid) {
  return runOf(pid) !== undefined
}

/** The id that a process carries. @param {number} pid */
function runOf(pid) {
  return new RegExp(`(?:^|\0)${runVariable}=([^\0]*)`).exec(readText(`/proc/${pid}/environ`))?.[1]
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
