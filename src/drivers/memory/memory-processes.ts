import { CarrelError } from '../../errors.ts'
import type { ConnectedProcess, ConnectSpec, ExecSpec, LostProcess, OutputChunk, ProcessHandle } from '../driver.ts'
import { checkArguments } from '../check-arguments.ts'
import { toBytes } from './file-system/byte-strings.ts'
import type { MemoryComputer } from './memory-computer.ts'
import type { MemoryHost } from './memory-host.ts'
import { MemoryProcess } from './memory-process.ts'
import { findProgram } from './programs/find-program.ts'
import { RunProcess } from './run-process.ts'
import { streamsOf } from './process-streams.ts'
import { emptyDescriptor, type Descriptor } from './tasks/descriptor.ts'
import type { Machine } from './tasks/machine.ts'
import { Pipe } from './tasks/pipe.ts'
import { resolveUser } from './users.ts'

interface Options {
  host: MemoryHost
  /** Returns false once the server that uses these processes has ended. */
  isConnected: () => boolean
  onOutput: (process: ProcessHandle) => void
}

/** The processes of a host, as one server starts and sees them. */
export class MemoryProcesses {
  readonly #options: Options
  readonly #handles = new WeakMap<RunProcess, MemoryProcess>()

  constructor(options: Options) {
    this.#options = options
    for (const process of options.host.processes.all()) this.#listen(process)
  }

  /** Starts a process whose stdin and stdout are streams. */
  connect(computer: MemoryComputer, machine: Machine, spec: ConnectSpec): ConnectedProcess {
    const stdout = new Pipe()
    stdout.reader.retain()
    const process = this.start(computer, machine, { ...spec, stdin: true }, stdout.writer)
    return { process, ...streamsOf(process, stdout.reader) }
  }

  start(computer: MemoryComputer, machine: Machine, spec: ExecSpec, stdout?: Descriptor): MemoryProcess {
    const { processes } = this.#options.host
    const { processId, timeoutMs, meta, backpressure = false, tty } = spec
    const user = resolveUser(computer.files, spec.user)
    const named = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell, ...spec.env }
    checkArguments(spec.argv, named)
    if (processes.has(processId)) throw failure(spec, computer, 'conflict', 'its id is in use')
    const env = new Map(Object.entries(named).map(([name, value]) => [toBytes(name), toBytes(value)]))
    const cwd = toBytes(spec.cwd)
    if (computer.files.lookUp(cwd)?.kind !== 'directory')
      throw failure(spec, computer, 'not_found', 'the working directory does not exist')
    const path = (name: string) => (name.startsWith('/') ? name : `${cwd}/${name}`)
    const found = findProgram({ machine, cwd, path }, spec.argv.map(toBytes), env.get('PATH') ?? '')
    if (!found.program) throw failure(spec, computer, 'not_found', 'the program does not exist or may not be executed')
    if (machine.tasks.size + 1 >= computer.spec.limits.pids)
      throw failure(spec, computer, 'unavailable', 'the computer has no room for another process')
    const computerId = computer.spec.id
    const process = new RunProcess({ processId, computerId, computer, meta, timeoutMs, backpressure, size: tty })
    const descriptors = new Map<number, Descriptor>()
      .set(0, spec.stdin || tty ? process.stdin.reader : emptyDescriptor)
      .set(1, stdout ?? process.sink('stdout'))
      .set(2, process.sink(tty ? 'stdout' : 'stderr'))
    const { argv, program } = found
    const task = machine.spawn(
      { parentPid: 1, processId, argv, env, cwd: computer.files.directory(cwd).path, user, descriptors, ignored: [] },
      program,
    )
    processes.add(process)
    computer.running.set(processId, process)
    process.begin(task, spec)
    this.#listen(process)
    return this.#handle(process)
  }

  get(processId: string): MemoryProcess | undefined {
    const process = this.#options.host.processes.get(processId)
    return process && this.#handle(process)
  }

  all(): MemoryProcess[] {
    return this.#known(this.#options.host.processes.all())
  }

  on(computerId: string): MemoryProcess[] {
    return this.#known(this.#options.host.processes.on(computerId))
  }

  get runningCount(): number {
    return this.#options.host.processes.all().filter(({ exit }) => !exit).length
  }

  get outputBytes(): number {
    let bytes = 0
    for (const { exit, output } of this.#options.host.processes.all()) if (!exit) bytes += output.keptBytes
    return bytes
  }

  output(processId: string, cursor: number): OutputChunk {
    const found = this.get(processId)
    if (found) return found.output(cursor)
    throw new CarrelError('not_found', `Cannot read the output of process "${processId}": no output is retained`, {
      details: { processId },
    })
  }

  release(processId: string): void {
    const process = this.#options.host.processes.get(processId)
    if (process) process.released = true
  }

  forget(processId: string): void {
    this.#options.host.processes.delete(processId)
  }

  kept(): Iterable<string> {
    return this.#options.host.processes.ids()
  }

  recordLost({ processId, computerId, pid, startedAtMs, meta }: LostProcess): MemoryProcess {
    const known = this.get(processId)
    if (known) return known
    const options = {
      processId,
      computerId,
      computer: undefined,
      meta,
      timeoutMs: undefined,
      backpressure: false,
      size: undefined,
    }
    const process = Object.assign(new RunProcess(options), { pid, startedAtMs, released: true })
    process.lose()
    this.#options.host.processes.add(process)
    return this.#handle(process)
  }

  #known(processes: RunProcess[]): MemoryProcess[] {
    return processes.filter(({ released }) => !released).map((process) => this.#handle(process))
  }

  #handle(process: RunProcess): MemoryProcess {
    const known = this.#handles.get(process)
    if (known) return known
    const handle = new MemoryProcess(process, this.#options.isConnected)
    this.#handles.set(process, handle)
    return handle
  }

  #listen(process: RunProcess): void {
    process.onOutput = () => {
      if (this.#options.isConnected()) this.#options.onOutput(this.#handle(process))
    }
  }
}

function failure(
  { argv, cwd }: ExecSpec,
  { spec: { id: computerId } }: MemoryComputer,
  code: 'not_found' | 'conflict' | 'unavailable',
  why: string,
): CarrelError {
  const program = JSON.stringify((argv[0] ?? '').slice(0, 200))
  const message = `Cannot start ${program} on computer "${computerId}": ${why}`
  return new CarrelError(code, message, { details: { computerId, cwd } })
}
