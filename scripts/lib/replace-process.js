import { spawn } from 'node:child_process'
import { searchPath } from './host/search-path.js'

/**
 * Replaces this program by another one: in the same process if Node supports that, else by a child that gets the
 * terminal and the signals, and with which this program ends. Never returns.
 * @param {string} program an absolute path
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<never>}
 */
export function replaceProcess(program, args, env = process.env) {
  const childEnv = { ...env, PATH: searchPath(env.PATH) }
  if (typeof process.execve === 'function') process.execve(program, [program, ...args], childEnv)
  return becomeParent(program, args, childEnv)
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<never>}
 */
function becomeParent(program, args, env) {
  return new Promise((_resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit' })
    child.once('error', reject)
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    // A terminal sends these to the child too, and a second signal would mean "at once".
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGHUP'])) {
      process.on(signal, () => {
        if (!process.stdin.isTTY) child.kill(signal)
      })
    }
    child.once('exit', (code, signal) => {
      if (signal === null) process.exit(code ?? 1)
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  })
}
