import { basename } from 'node:path'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'

const timeoutMs = 10 * 60_000

/**
 * Runs `npm install` without the packages' own scripts, which npm may forbid, and none of which is needed.
 * @param {string[]} args
 */
export async function npmInstall(args) {
  const argv = [
    ...npmCommand(),
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...args,
  ]
  const { code, output, timedOut } = await runProgram(argv, { cwd: project.root, timeoutMs })
  if (code === 0) return
  const reason = timedOut ? `it took more than ${timeoutMs / 60_000} minutes` : npmReason(output)
  throw new SetupFailure(
    `Cannot install the npm packages: ${reason}; make sure that this machine reaches its npm registry, then try again.`,
  )
}

/** Returns the npm that runs this script, or the one in PATH. */
function npmCommand() {
  const script = process.env.npm_execpath
  return script && basename(script).startsWith('npm-cli') ? [process.execPath, script] : ['npm']
}

/**
 * Returns the reason of a failure from npm's output, in one phrase.
 * @param {string} output
 */
export function npmReason(output) {
  const lines = output
    .split('\n')
    .map((line) => /^npm (?:error|ERR!) ?(.*)$/.exec(line)?.[1]?.trim() ?? '')
    .filter((line) => line !== '' && !/^(syscall|errno|path|A complete log)\b/.test(line))
  return lines.slice(0, 2).join(', ') || output.trim().split('\n').at(-1) || 'npm gave no reason'
}
