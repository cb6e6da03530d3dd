import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** A program that packs or unpacks a snapshot has failed, or complained. Its output is for the log alone. */
export class TransferFailure extends Error {
  readonly isDiskFull: boolean
  /** True for a path beyond what the kernel accepts in one call. A guest can make one step by step. */
  readonly isPathTooLong: boolean
  /** True for content that takes more memory or processor time than a program may use. */
  readonly isBeyondBounds: boolean

  constructor(program: string, end: string, stderr: string) {
    super(`"${program}" ended ${end}: ${stderr.trim() || 'without a message'}`)
    this.name = 'TransferFailure'
    this.isBeyondBounds = end === 'SIGXCPU' || /memory exhausted|cannot allocate memory/i.test(stderr)
    this.isPathTooLong = /file name too long/i.test(stderr)
    this.isDiskFull = /no space left on device|disk quota exceeded|wrote only \d+ of/i.test(stderr)
  }
}

export interface ProgramOptions {
  /** Kills the program. */
  signal: AbortSignal
  /** Address space that each of its processes may use. */
  memoryBytes?: number | undefined
}

/** Yields what a program of the host prints. Throws `TransferFailure`. The program ends with the generator. */
export async function* outputOf(argv: readonly string[], options: ProgramOptions): AsyncGenerator<Buffer> {
  const program = start(argv, options)
  try {
    program.child.stdin.end()
    for await (const chunk of program.child.stdout) yield chunk as Buffer
    await program.ended
  } finally {
    await program.end()
  }
}

/**
 * Runs a program on what a generator yields, to its end. It can write nowhere but in `directory`, which it sees as
 * /volume; `mountPoint` is an empty directory for its root. Throws `TransferFailure`, or what the generator throws; in
 * both cases the program has ended.
 */
export async function feedConfined(
  argv: readonly string[],
  { directory, mountPoint }: { directory: string; mountPoint: string },
  input: AsyncIterable<Buffer>,
  options: ProgramOptions,
): Promise<void> {
  const isolated = ['unshare', '--fork', '--kill-child', '--pid', '--mount', '--ipc', '--']
  const program = start([...isolated, '/bin/sh', script, directory, mountPoint, ...argv], options)
  program.child.stdout.resume()
  let inputFailure: unknown
  const feed = pipeline(
    catching(input, (error) => (inputFailure = error)),
    program.child.stdin,
  )
  try {
    await Promise.all([program.ended, feed.catch((error: unknown) => explainClosedInput(error, program.ended))])
  } catch (error) {
    throw inputFailure ?? error
  } finally {
    await program.end()
  }
}

interface Program {
  child: Child
  /** Rejects with `TransferFailure` unless the program ends with code 0 and without a complaint. */
  ended: Promise<void>
  /** Kills the program unless it has ended. Resolves when it has. */
  end: () => Promise<void>
}

/** Starts a program within its bounds. It is killed when the server ends and when `signal` aborts. */
function start(
  argv: readonly string[],
  { signal, memoryBytes = limits.transferProgramBytes }: ProgramOptions,
): Program {
  signal.throwIfAborted()
  const seconds = limits.transferProgramCpuSeconds
  // At the first limit of time the kernel sends SIGXCPU, at the second SIGKILL.
  const bounds = [`--as=${memoryBytes}`, `--cpu=${seconds}:${seconds + 10}`, '--core=0']
  const child: Child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'prlimit', ...bounds, '--', ...argv], {
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    stdio: 'pipe',
  })
  child.on('error', () => {})
  // Without free descriptors or processes, nothing was started.
  if (child.pid === undefined) throw new CarrelError('unavailable', `Cannot run "${argv[0]}": it cannot be started`)
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  // A closed pipe is not the cause of a failure, but its effect.
  child.stdin.on('error', () => {})
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, maxComplaint)
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const ended = closed.then(([code, endedBy]) => {
    signal.removeEventListener('abort', kill)
    signal.throwIfAborted()
    if (code !== 0 || stderr !== '') throw new TransferFailure(argv.join(' '), endedBy ?? `with code ${code}`, stderr)
  })
  ended.catch(() => {})
  const end = async () => {
    kill()
    await closed.catch(() => {})
  }
  return { child, ended, end }
}

/** Lets through what a generator yields, and remembers why it failed. */
async function* catching(input: AsyncIterable<Buffer>, onFailure: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* input
  } catch (error) {
    onFailure(error)
    throw error
  }
}

/** A program that stops reading says itself why, unless it has found the end of its input before the input ended. */
async function explainClosedInput(error: unknown, ended: Promise<void>): Promise<never> {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (codesOfClosedInput.has(code)) await ended
  throw error
}

/** The kernel's word for a closed pipe, and Node's, which closes the input of a program once it sees its end. */
const codesOfClosedInput: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])
const script = fileURLToPath(new URL('run-confined.sh', import.meta.url))
const maxComplaint = 4_000
