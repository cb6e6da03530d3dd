import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { CarrelError } from '../../../errors.ts'

export interface ProgramOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Called with each line of stdout and stderr. */
  onLine?: (line: string) => void
  /** Kills the program and all of its children. */
  signal?: AbortSignal
  /** 60 minutes by default. */
  timeoutMs?: number
  /** The program yields to all others, for the processor and for the disk. */
  background?: boolean | undefined
  /** A descriptor that the program gets as its descriptor 3. */
  inherited?: number | undefined
}

/** A program failed. Has the end of its output. */
export class ProgramFailure extends Error {
  readonly exitCode: number | null
  readonly lines: string[]

  constructor(program: string, exitCode: number | null, signal: string | null, lines: string[]) {
    super(`"${program}" ended ${signal === null ? `with exit code ${exitCode}` : `by ${signal}`}`)
    this.name = 'ProgramFailure'
    this.exitCode = exitCode
    this.lines = lines
  }
}

/**
 * Runs a program of the host for a longer time; it is killed when the server ends. Throws `ProgramFailure`, or
 * `unavailable` when the program is not installed.
 */
export async function runProgram(argv: [string, ...string[]], options: ProgramOptions = {}): Promise<void> {
  const [program, ...args] = argv
  const yielding = options.background ? ['nice', '-n', '19', 'ionice', '-c', '3'] : []
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...yielding, program, ...args], {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env), LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.inherited === undefined ? [] : [options.inherited])],
    timeout: options.timeoutMs ?? 3_600_000,
    killSignal: 'SIGKILL',
    signal: options.signal,
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      lines.push(line.slice(0, 1_000))
      if (lines.length > maxLines) lines.shift()
      options.onLine?.(line)
    })
  }
  const [exitCode, signal] = await ended(child)
  const missing = /^(?:setpriv|unshare): failed to execute (.+): No such file/.exec(lines.at(-1) ?? '')?.[1]
  if (missing !== undefined)
    throw new CarrelError(
      'unavailable',
      `Cannot run "${missing}": it is not installed on this host; install the package ${packageOf[missing] ?? missing}`,
      {
        details: { program: missing },
      },
    )
  if (exitCode !== 0) throw new ProgramFailure(program, exitCode, signal, lines)
}

/**
 * As `runProgram`, in new process and mount namespaces: when the program ends for any reason, all of its processes and
 * mounts end with it.
 */
export function runIsolated(argv: [string, ...string[]], options: ProgramOptions = {}): Promise<void> {
  return runProgram(['unshare', '--fork', '--kill-child', '--pid', '--mount-proc', '--', ...argv], options)
}

/** Debian's package of a program, where it has another name. */
const packageOf: Record<string, string> = { btrfs: 'btrfs-progs', nft: 'nftables', ip: 'iproute2' }

/** Settles when the last process that could write has ended, also when the program was aborted. */
function ended(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    child.on('error', (error) => {
      failure = error
      if (child.pid === undefined) reject(error)
    })
    child.on('close', (code, signal) => (failure ? reject(failure) : resolve([code, signal])))
  })
}

/** Number of lines that are kept for error messages and the log. */
const maxLines = 60
