import { posix } from 'node:path'
import { limits } from '../../../config/limits.ts'
import type { ProcessOptions } from '../../../engine/computers/processes/start-process.ts'
import { CarrelError } from '../../../errors.ts'
import type { PTY, StartRequest } from './process_pb.ts'

interface Defaults {
  user: string
  workdir: string
}

/**
 * Returns how to start what a request asks for. It names the program in one of two forms: `process`, or `command` with
 * the fields of `POST /v1/computers/<id>/exec`.
 *
 * @param timeoutMs after which the process is ended; undefined for no limit
 */
export function startOptions(
  request: StartRequest,
  image: Defaults,
  { user, timeoutMs }: { user: string | undefined; timeoutMs: number | undefined },
): ProcessOptions {
  const { argv, env, cwd } = programOf(request)
  const { tag, pty } = request
  const runsAs = request.user ?? user ?? image.user
  assertLength('tag', tag ?? '', limits.processIdLength)
  assertLength('user', runsAs, maxUserLength)
  assertLength('cwd', cwd ?? '', maxPathLength)
  return {
    kind: pty ? 'interactive' : 'exec',
    program: { argv },
    command: argv.join(' '),
    name: tag || undefined,
    env,
    cwd: cwd ? directoryOf(cwd, runsAs, image.workdir) : undefined,
    user: runsAs,
    tty: pty && sizeOf(pty),
    stdin: request.stdin ?? true,
    timeoutMs,
    detached: true,
    keepsConfig: true,
  }
}

/** Returns the size of a terminal. Throws `invalid_request`. */
export function sizeOf({ size }: PTY): { cols: number; rows: number } {
  const { cols = 80, rows = 24 } = size ?? {}
  if ([cols, rows].some((count) => count < 1 || count > maxTerminalSide))
    throw invalid('pty', `the size of a terminal is from 1 to ${maxTerminalSide} columns and rows`)
  return { cols, rows }
}

function programOf({ process, command, cwd, env }: StartRequest) {
  if ((process === undefined) === (command.length === 0))
    throw invalid('process', 'a request has either "process" or "command"')
  const argv = process ? [process.cmd, ...process.args] : command
  if (!argv[0]) throw invalid('cmd', 'the program has no name')
  if (argv.length > maxArguments) throw invalid('args', `a program has up to ${maxArguments} arguments`)
  return process ? { argv, env: process.envs, cwd: process.cwd } : { argv, env, cwd }
}

/** A relative directory is below that of the image; `~` is the home of the user. */
function directoryOf(cwd: string, user: string, workdir: string): string {
  if (cwd !== '~' && !cwd.startsWith('~/')) return posix.resolve(workdir, cwd)
  const [name = ''] = user.split(':', 1)
  return posix.join(name === 'root' || name === '0' ? '/root' : `/home/${name}`, cwd.slice(1))
}

function assertLength(field: string, text: string, max: number): void {
  if (text.length > max) throw invalid(field, `it has more than ${max} characters`)
}

function invalid(field: string, reason: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot take "${field}": ${reason}`, { details: { field } })
}

const maxArguments = 10_000
const maxPathLength = 4096
const maxUserLength = 64
const maxTerminalSide = 1000
