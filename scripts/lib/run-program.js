import { spawn } from 'node:child_process'
import { searchPath } from './host/search-path.js'

/** How long to wait for output after the program has ended. */
const drainMs = 500

/** @typedef {{ code: number | null, output: string, timedOut: boolean }} ProgramResult */

/**
 * Runs a program without input. Resolves with its output, stdout and stderr combined, and with exit code 127 if it
 * cannot be started. At the time limit the program is killed with everything that it has started.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, onStatus?: (line: string) => void }} [options]
 * `onStatus` gets each line that the program writes to file descriptor 3
 * @returns {Promise<ProgramResult>}
 */
export function runProgram(argv, { cwd, env = process.env, timeoutMs, onStatus } = {}) {
  return new Promise((resolve) => {
    const [program = '', ...args] = argv
    const stdio = /** @type {const} */ (['ignore', 'pipe', 'pipe', onStatus ? 'pipe' : 'ignore'])
    const childEnv = { ...env, PATH: searchPath(env.PATH) }
    const child = spawn(program, args, { cwd, env: childEnv, stdio: [...stdio], detached: true })
    let output = ''
    let timedOut = false

    /** @param {NodeJS.Signals} signal */
    const signalAll = (signal) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // The program has already ended.
      }
    }
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            signalAll('SIGKILL')
          }, timeoutMs)
    // The program has a process group of its own, so the terminal's Ctrl-C has to be passed on.
    const interrupted = () => {
      child.once('exit', () => process.exit(130))
      signalAll('SIGINT')
    }
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)

    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text))
    }
    if (onStatus) eachLine(/** @type {import('node:stream').Readable} */ (child.stdio[3]), onStatus)

    /** @param {number | null} code */
    const end = (code) => {
      clearTimeout(timer)
      for (const stream of child.stdio) stream?.destroy()
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', interrupted)
      resolve({ code, output, timedOut })
    }
    child.once('error', (error) => {
      output += error.message
      end(127)
    })
    child.once('close', end)
    // An orphaned daemon of the program may keep the pipes open forever.
    child.once('exit', (code) => setTimeout(end, drainMs, code).unref())
  })
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} onLine
 */
function eachLine(stream, onLine) {
  let rest = ''
  stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
