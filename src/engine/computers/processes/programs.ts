import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { connectProcess } from './connect-process.ts'
import { environment } from './environment.ts'

/** A program that runs in a computer, whoever started it, as the computer's own `ps` says. */
export interface RunningProgram {
  pid: number
  user: string
  command: string
  startedAtMs: number
  cpuSeconds: number
  memoryBytes: number
}

/** What runs in computers, for those who watch it: each is asked at most once within `limits.programsMs`. */
export class Programs {
  readonly #latest = new Map<string, Promise<RunningProgram[]>>()

  /** Returns what runs in a computer, without its init; nothing where its image has no `ps`. */
  list(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<RunningProgram[]> {
    const { id } = computer
    const known = this.#latest.get(id)
    if (known) return known
    const listed = list(engine, computer)
    this.#latest.set(id, listed)
    setTimeout(() => this.#latest.delete(id), limits.programsMs).unref()
    return listed
  }
}

/** Sends a signal to a program by its pid. Throws `not_found`. */
export async function signalProgram(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  pid: number,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  const argv = ['kill', '-s', signal.slice(3), String(pid)]
  const { exitCode } = pid > 1 ? await run(engine, computer, argv, '0') : { exitCode: 1 }
  if (exitCode !== 0)
    throw new CarrelError('not_found', `Cannot signal process ${pid}: the computer runs none of this pid`)
}

async function list(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<RunningProgram[]> {
  const argv = ['ps', '-ww', '-eo', 'pid=,user:32=,lstart=,times=,rss=,args=']
  try {
    const { pid: own, text } = await run(engine, computer, argv, computer.image.user)
    return text
      .split('\n', limits.programsShown)
      .flatMap(programOf)
      .filter(({ pid }) => pid !== 1 && pid !== own)
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'not_found') return []
    throw error
  }
}

/** Runs a program of the computer for a moment. What it prints is the guest's to say, and bounded. */
async function run(engine: ComputersContext, computer: AccessibleComputer<'run'>, argv: string[], user: string) {
  const env = environment(computer.image.env, { LC_ALL: 'C', TZ: 'UTC' })
  const running = await connectProcess(engine, computer, { kind: 'look', argv, env, cwd: '/', user })
  const timer = setTimeout(() => running.end(), limits.programsTimeoutMs)
  running.stdin.on('error', () => {}).end()
  let text = ''
  try {
    for await (const data of running.stdout as AsyncIterable<Buffer>) {
      text += data.toString('latin1')
      if (text.length > limits.programsBytes) break
    }
  } catch {
    // It was ended: what it has said counts.
  }
  running.end()
  clearTimeout(timer)
  const { exitCode } = await running.process.wait()
  return { pid: running.process.pid, exitCode, text: Buffer.from(text, 'latin1').toString('utf8') }
}

/** The time of the start: the age that `ps` computes is wrong where `/proc/uptime` is that of the computer. */
const line = /^ *(\d{1,10}) +([^ ]{1,64}) +(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}) +(\d{1,10}) +(\d{1,12}) (.+)$/

function programOf(text: string): RunningProgram[] {
  const [, pid, user = '', started, cpuSeconds, kib, command = ''] = line.exec(text) ?? []
  const startedAtMs = Date.parse(`${started} UTC`)
  if (pid === undefined || Number.isNaN(startedAtMs)) return []
  return [
    {
      pid: Number(pid),
      user,
      command: command.slice(0, maxCommandLength),
      startedAtMs,
      cpuSeconds: Number(cpuSeconds),
      memoryBytes: Number(kib) * 1024,
    },
  ]
}

const maxCommandLength = 1024
