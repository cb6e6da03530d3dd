import { spawnSync } from 'node:child_process'
import { replaceProcess } from '../replace-process.js'
import { hasProgram, searchPath } from './search-path.js'
import { SetupFailure } from '../setup-failure.js'

export function isRoot() {
  return process.getuid?.() === 0
}

/** Throws unless this program is root or can become root. Asks for no password. */
export function checkRootInReach() {
  if (isRoot()) return
  if (!hasProgram('sudo')) {
    throw new SetupFailure(
      'Cannot prepare computers: root is required, and there is no sudo; run the same command as root.',
    )
  }
  if (process.stdin.isTTY || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return
  throw new SetupFailure(
    'Cannot prepare computers: root is required, and sudo asks for a password; run the same command as root, or from a terminal.',
  )
}

/**
 * Restarts this script as root by sudo, which asks for a password at a terminal. Never returns, unless the process is
 * root already.
 */
export async function ensureRoot() {
  if (isRoot()) return
  const [script = '', ...args] = process.argv.slice(1)
  await replaceProcess(
    '/usr/bin/env',
    sudoArguments(process.env, [process.execPath, ...process.execArgv, script, ...args]),
  )
}

/**
 * Returns arguments for `env` that run a command by sudo with the project's own variables, and PATH, which sudo
 * replaces. Except for PATH, variables are passed by name, as every user can read arguments.
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} command
 */
export function sudoArguments(env, command) {
  const kept = Object.keys(env).filter((name) => name.startsWith('CARREL_') || name === 'npm_execpath' || name === 'CI')
  const preserve = kept.length > 0 ? [`--preserve-env=${kept.join(',')}`] : []
  return ['sudo', ...preserve, 'env', `PATH=${searchPath(env.PATH)}`, ...command]
}
