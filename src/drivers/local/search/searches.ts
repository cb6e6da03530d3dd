import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import type { SearchQuery, SearchResult } from '../../driver.ts'
import { quote } from '../../files/computer-path.ts'
import { findProgram } from '../containers/runtime.ts'
import { O_PATH, type DiskRoot } from '../files/rooted.ts'
import { mountReadOnly } from '../system/detached-mount.ts'
import { MatchingLines } from './matching-lines.ts'

interface Query extends SearchQuery {
  /** The directory that the program sees. */
  top: string
}

interface Program {
  /** The directory that it begins in, relative to the mounted tree. */
  directory: string
  argv: string[]
  tree: number
  /** The file that it reads instead of the directory. */
  file: number | undefined
}

/**
 * Searches the files of computers with ripgrep. A guest chooses what the program reads, and a caller the expression: it
 * runs confined (see `run-search.pl`), within bounds of time and memory.
 */
export class Searches {
  readonly #mountPoint: string

  /** @param mountPoint a directory that each program covers in its own mount namespace */
  constructor(mountPoint: string) {
    this.#mountPoint = mountPoint
  }

  async search(root: DiskRoot, path: string, query: Query): Promise<SearchResult> {
    assertWanted(query)
    if (!findProgram('rg'))
      throw new CarrelError('not_set_up', 'Cannot search files: ripgrep is not installed on this server')
    await mkdir(this.#mountPoint, { recursive: true })
    const target = root.open(path, constants.O_RDONLY)
    let tree: number | undefined
    try {
      const isFile = kindOf(target, path) === 'file'
      const location = root.location(target)
      const top = root.open(query.top, O_PATH | constants.O_DIRECTORY)
      try {
        tree = mountReadOnly(top)
      } finally {
        closeSync(top)
      }
      const directory = posix.relative(query.top, isFile ? posix.dirname(location) : location) || '.'
      const lines = new MatchingLines(query, (printed) => (isFile ? path : posix.join(path, printed)))
      const argv = [...commandOf(query), isFile ? '-' : './']
      const isWhole = await this.#run({ directory, argv, tree, file: isFile ? target : undefined }, query, lines)
      return { matches: lines.matches, truncated: !isWhole }
    } finally {
      closeSync(target)
      if (tree !== undefined) closeSync(tree)
    }
  }

  /** Returns whether the program came to its end. */
  async #run({ directory, argv, tree, file }: Program, query: Query, lines: MatchingLines): Promise<boolean> {
    const [program, ...args] = confinedCommand({ mountPoint: this.#mountPoint, directory }, argv)
    const child = spawn(program!, args, {
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
      stdio: [file ?? 'ignore', 'pipe', 'pipe', tree],
    })
    child.on('error', () => {})
    // Without free descriptors or processes, nothing was started.
    if (child.pid === undefined) throw new CarrelError('unavailable', 'Cannot search files: ripgrep cannot be started')
    const stop = new AbortController()
    const kill = () => {
      stop.abort()
      child.kill('SIGKILL')
    }
    const timer = setTimeout(kill, query.timeoutMs)
    query.signal?.addEventListener('abort', kill, { once: true })
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, maxComplaint)))
    child.stdout!.on('data', (chunk: Buffer) => {
      if (lines.isFull) return
      lines.take(chunk)
      if (lines.isFull) kill()
    })
    try {
      const [code, endedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
      assertWanted(query)
      // The kernel ends a program that has used its processor time.
      if (stop.signal.aborted || endedBy === 'SIGXCPU' || code === 128 + SIGXCPU) return false
      assertEnd(code ?? endedBy, stderr.trim(), query.pattern)
      return true
    } finally {
      clearTimeout(timer)
      query.signal?.removeEventListener('abort', kill)
    }
  }
}

/** Returns the command that runs another in a directory of the tree that is mounted at descriptor 3. */
export function confinedCommand(
  { mountPoint, directory }: { mountPoint: string; directory: string },
  argv: string[],
): string[] {
  const { searchCpuSeconds: seconds, searchProgramBytes } = limits
  const bounds = [`--as=${searchProgramBytes}`, `--cpu=${seconds}:${seconds + 1}`, '--core=0', '--nofile=256']
  const isolated = ['unshare', '--fork', '--kill-child', '--pid', '--mount', '--ipc', '--net', '--']
  const bounded = ['setpriv', '--pdeathsig', 'KILL', '--', 'prlimit', ...bounds, '--', ...isolated]
  return [...bounded, 'perl', script, mountNumber, mountPoint, directory, ...argv]
}

function assertWanted({ signal }: Query): void {
  if (signal?.aborted) throw new CarrelError('unavailable', 'Cannot search files: the search was given up')
}

function kindOf(fd: number, path: string): 'file' | 'directory' {
  const stats = fstatSync(fd)
  if (stats.isDirectory()) return 'directory'
  if (!stats.isFile())
    throw new CarrelError('invalid_request', `Cannot search ${quote(path)}: it is not a regular file`, {
      details: { path },
    })
  if (stats.size > limits.searchFileBytes)
    throw new CarrelError(
      'too_large',
      `Cannot search ${quote(path)}: it has ${stats.size} bytes and the limit is ${limits.searchFileBytes}`,
      { details: { path, maxBytes: limits.searchFileBytes } },
    )
  return 'file'
}

function commandOf({ pattern, isRegex, ignoresCase }: Query): string[] {
  return [
    ...['rg', '--no-config', '--no-messages', '--color=never', '--no-heading', '--with-filename', '--line-number'],
    ...['--null', '--max-columns=4096', '--max-columns-preview', `--max-filesize=${limits.searchFileBytes}`],
    // A file that becomes shorter meanwhile must not end the program.
    ...['--no-mmap', '--threads=1', '--sort=path', '--no-require-git', '--no-ignore-global'],
    // A larger expression is refused, before it takes the memory that ends the program.
    ...['--regex-size-limit=32M', '--dfa-size-limit=64M'],
    ...(isRegex ? [] : ['--fixed-strings']),
    ignoresCase ? '--ignore-case' : '--case-sensitive',
    ...[`--regexp=${pattern}`, '--'],
  ]
}

/** Throws unless ripgrep has searched what it could read. */
function assertEnd(end: number | NodeJS.Signals | null, complaint: string, pattern: string): void {
  if (end === 0 || (end === 1 && complaint === '')) return
  if (end === directoryIsGone)
    throw new CarrelError('not_found', 'Cannot search files: the directory was moved or removed meanwhile')
  // With a message it is about the expression; without one, some files could not be read.
  if (end === 2 && complaint === '') return
  if (end === 2)
    throw new CarrelError('invalid_request', `Cannot search for ${quote(pattern)}: ${reasonOf(complaint)}`, {
      details: { field: 'pattern' },
    })
  throw new CarrelError('unavailable', 'Cannot search files: the search takes too much memory, or failed', {
    cause: new Error(`ripgrep ended with ${end}: ${complaint}`),
  })
}

function reasonOf(complaint: string): string {
  const lines = complaint.split('\n')
  const reason = lines.findLast((line) => line.startsWith('error: '))?.slice('error: '.length) ?? lines[0]!
  return reason.slice(0, 300)
}

const script = fileURLToPath(new URL('run-search.pl', import.meta.url))
/** The number of the system call in this architecture. */
const mountNumber = process.arch === 'arm64' ? '40' : '165'
const maxComplaint = 4_000
const directoryIsGone = 44
const SIGXCPU = 24
