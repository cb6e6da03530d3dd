import { spawn } from 'node:child_process'
import { searchPath } from './host/search-path.js'

/** How long output is awaited after the program's end. */
const drainMs = 500

/** @typedef {{ code: number | null, output: string, timedOut: boolean }} ProgramResult */

/**
 * Runs a program without input and keeps its output, stdout and stderr together. A program that can't be started
 * has exit code 127. At the time limit it is killed with all that it started.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, onStatus?: (line: string) => void }} [options]
 *   `onStatus` gets each line that the program writes to file descriptor 3
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
        // It has ended by itself.
      }
    }
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            signalAll('SIGKILL')
          }, timeoutMs)
    // Its own process group keeps it from the terminal's Ctrl-C, which therefore has to be passed on.
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
    // A daemon that the program left behind may keep the pipes open for ever.
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
