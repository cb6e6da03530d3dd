import { mkdir } from 'node:fs/promises'
import type { ExecSpec, LostProcess, OutputChunk, ProcessExit } from '../../driver.ts'
import { checkArguments } from '../../check-arguments.ts'
import { CarrelError } from '../../../errors.ts'
import { limits } from '../../../config/limits.ts'
import { mapWithLimit } from '../../../map-with-limit.ts'
import { processObject } from '../containers/config.ts'
import { LocalProcess } from './local-process.ts'
import { MonitorSilence } from '../monitors/monitor-client.ts'
import type { Monitors } from '../monitors/monitors.ts'
import { endExec } from '../monitor/exec-group.ts'
import { markerVariable } from '../monitor/process-tree.ts'
import type { CgroupFiles, MonitorEvent, ProcessState, StartAnswer } from '../monitor/protocol.ts'
import { journalBytes } from '../monitor/read-journal.ts'
import { listRecords, readRecord, removeRecord, writeRecord } from '../monitor/process-record.ts'
import type { StartedProcesses } from '../network/socket-owners.ts'
import type { Paths } from '../paths.ts'
import { sendSignal } from '../system/signal.ts'
import { resolveUser } from './resolve-user.ts'

interface Options {
  paths: Paths
  monitor: () => Monitors
  execCommand: string[]
  cgroupFiles: (computerId: string) => CgroupFiles
  /** True when a computer has used up its disk. */
  isDiskFull: (computerId: string) => Promise<boolean>
  onOutput: (process: LocalProcess) => void
}

/** The processes of all computers: those that run, and those that ended and were not released. */
export class LocalProcesses {
  readonly #options: Options
  readonly #known = new Map<string, LocalProcess>()
  /** Those that run, by computer. */
  readonly #running = new Map<string, Set<LocalProcess>>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Takes back what the monitor knows from before. */
  async load(states: ProcessState[]): Promise<void> {
    await mkdir(this.#options.paths.processes, { recursive: true, mode: 0o700 })
    for (const state of states) this.#keep(new LocalProcess(state, this.#options.monitor))
  }

  async start(computerId: string, spec: ExecSpec): Promise<LocalProcess> {
    const { paths, monitor } = this.#options
    const user = resolveUser(paths.root(computerId), spec.user)
    const own = {
      HOME: user.home,
      USER: user.name,
      LOGNAME: user.name,
      SHELL: user.shell,
      [markerVariable]: spec.processId,
    }
    const env = { ...own, ...spec.env, [markerVariable]: spec.processId }
    checkArguments(spec.argv, env)
    const directory = paths.process(spec.processId)
    const object = processObject({ ...user, argv: spec.argv, env, cwd: spec.cwd, tty: spec.tty })
    const { processId, stdin, tty, timeoutMs, meta } = spec
    const cgroup = this.#options.cgroupFiles(computerId)
    const aheadBytes = spec.backpressure ? (tty ? terminalAheadBytes : pipeAheadBytes) : undefined
    const process = {
      processId,
      computerId,
      owner: spec.owner,
      directory,
      command: this.#options.execCommand,
      spec: object,
      stdin,
      tty,
      timeoutMs,
      aheadBytes,
      meta,
      cgroup,
    }
    // Known before it starts: its exit can come in the same moment as the answer.
    const early = Promise.withResolvers<LocalProcess>()
    this.#starting.set(processId, early.promise)
    const keep = (answer: StartAnswer) => {
      const started = new LocalProcess(
        { processId, computerId, directory, aheadBytes, timeoutMs, meta, ...answer },
        monitor,
      )
      this.#keep(started)
      early.resolve(started)
      this.#starting.delete(processId)
      return started
    }
    const late = (answer: StartAnswer | undefined) => {
      if (answer) this.#endUnasked(keep(answer))
      else this.#starting.delete(processId)
    }
    const notAfterMs = Date.now() + limits.monitorTimeoutMs
    try {
      return keep(await monitor().request<StartAnswer>({ op: 'start', process, notAfterMs }, { late }))
    } catch (error) {
      if (!(error instanceof MonitorSilence && error.wasSent)) this.#starting.delete(processId)
      throw describeFailure(spec, computerId, error)
    }
  }

  /** It was given up, and began all the same: whoever asked for it was told that it did not. */
  #endUnasked(process: LocalProcess): void {
    void process.kill('SIGKILL', 'tree').catch(() => {})
    void process.wait().then(() => this.forget(process.processId))
  }

  /** While the monitor does not answer: ends those that are over their time limit, which it is then told of in the end. */
  endOverdue(): void {
    const now = Date.now()
    for (const process of this.running()) {
      const { timeoutMs = Infinity, startedAtMs } = process
      if (process.unresponsive && now - startedAtMs > timeoutMs + limits.overdueMs) this.#endTree(process)
    }
  }

  /**
   * Without the monitor. A host process id is nobody else's meanwhile, as it is the monitor that has to hear of the end; what came of
   * a process is found by its group, or by the monitor once that answers.
   */
  #endTree({ processId, computerId, hostPid }: LocalProcess): void {
    sendSignal(hostPid, 'SIGKILL')
    void endExec(processId, this.#options.cgroupFiles(computerId)).catch(() => {})
  }

  /** Released, but their end may not be on disk yet: the monitor tells an end before it writes it. */
  readonly #releasing = new Map<string, LocalProcess>()
  readonly #starting = new Map<string, Promise<LocalProcess>>()

  /** One that runs or was not released, else one whose exit is on disk. */
  get(processId: string): LocalProcess | undefined {
    return this.#known.get(processId) ?? this.#releasing.get(processId) ?? this.#fromDisk(processId)
  }

  running(): LocalProcess[] {
    return [...this.#known.values()].filter(({ exit }) => !exit)
  }

  runningOn(computerId: string): LocalProcess[] {
    return [...(this.#running.get(computerId) ?? [])].filter(({ exit }) => !exit)
  }

  startedOn(computerId: string): StartedProcesses {
    return {
      computerId,
      byPid: new Map(this.runningOn(computerId).map(({ hostPid, processId }) => [hostPid, processId])),
      // It comes from inside the computer: no path may be made of what it likes.
      has: (processId) => /^[0-9A-Za-z_-]{1,64}$/.test(processId) && this.get(processId)?.computerId === computerId,
    }
  }

  all(): LocalProcess[] {
    return [...this.#known.values()]
  }

  async output(processId: string, cursor: number): Promise<OutputChunk> {
    const found = this.get(processId)
    if (!found)
      throw new CarrelError('not_found', `Cannot read the output of process "${processId}": it is not kept`, {
        details: { processId },
      })
    await found.checkCursor(cursor)
    return found.read(cursor)
  }

  #keep(process: LocalProcess): void {
    const { processId, computerId } = process
    this.#known.set(processId, process)
    const others = this.#running.get(computerId) ?? new Set()
    this.#running.set(computerId, others.add(process))
    void process.wait().then(() => {
      others.delete(process)
      if (others.size === 0 && this.#running.get(computerId) === others) this.#running.delete(computerId)
    })
  }

  release(processId: string): void {
    void this.#release(processId)
  }

  /** When the monitor has answered, its record of the end is written. */
  async forget(processId: string): Promise<void> {
    await this.#release(processId)
    await removeRecord(this.#options.paths.process(processId))
  }

  async #release(processId: string): Promise<void> {
    const released = this.#known.get(processId)
    this.#known.delete(processId)
    if (released) this.#releasing.set(processId, released)
    await this.#options
      .monitor()
      .request({ op: 'release', processId })
      .catch(() => {})
    this.#releasing.delete(processId)
  }

  kept(): Promise<string[]> {
    return listRecords(this.#options.paths.processes)
  }

  async handle(event: MonitorEvent): Promise<void> {
    if (event.event === 'container-exit') return
    const found =
      this.#known.get(event.processId) ?? (await this.#starting.get(event.processId)?.catch(() => undefined))
    if (!found) return
    if (event.event === 'grew') {
      found.grew(event.end)
      return this.#options.onOutput(found)
    }
    const exit = await this.#explain(found.computerId, event.exit)
    found.ended(exit, event.journal)
  }

  /** A monitor is gone, and with it what could be known of its processes that ran. Gives the computers that they ran in. */
  async lost(isLost: (processId: string) => boolean): Promise<Set<string>> {
    const lost = this.running().filter(({ processId }) => isLost(processId))
    await mapWithLimit(lost, recordedAtOnce, async (process) => process.ended(await this.#recordLost(process)))
    return new Set(lost.map(({ computerId }) => computerId))
  }

  /** The same of one that an earlier server started, and whose end no monitor recorded. */
  async recordLost(process: LostProcess): Promise<LocalProcess> {
    const recorded = this.get(process.processId)
    if (recorded) return recorded
    const state = {
      ...process,
      pid: 0,
      insidePid: process.pid,
      directory: this.#options.paths.process(process.processId),
    }
    return new LocalProcess({ ...state, exit: await this.#recordLost(process) }, this.#options.monitor)
  }

  /** What the monitor wrote of its output stays, and its end is put beside it. */
  async #recordLost({ processId, computerId, pid, startedAtMs, meta }: LostProcess): Promise<ProcessExit> {
    const directory = this.#options.paths.process(processId)
    const exit: ProcessExit = {
      reason: 'lost',
      exitCode: null,
      signal: null,
      endedAtMs: Date.now(),
      outputBytes: await journalBytes(directory).catch(() => 0),
      truncated: true,
    }
    const state = { processId, computerId, pid: 0, insidePid: pid, startedAtMs, directory, meta, exit }
    // Without room for it, what is lost is told by this server alone.
    await writeRecord(directory, state).catch(() => {})
    return exit
  }

  async #explain(computerId: string, exit: ProcessExit): Promise<ProcessExit> {
    if (exit.reason !== 'exited' || exit.exitCode === 0) return exit
    // The computer may be removed meanwhile; its processes have ended all the same.
    const isDiskFull = await this.#options.isDiskFull(computerId).catch(() => false)
    return isDiskFull ? { ...exit, reason: 'disk_full' } : exit
  }

  #fromDisk(processId: string): LocalProcess | undefined {
    const record = readRecord(this.#options.paths.process(processId))
    if (!record) return undefined
    return new LocalProcess(record.state, this.#options.monitor, record.journal)
  }
}

const recordedAtOnce = 4

/** How far a process may be ahead of who reads its output: well below what its journal keeps. */
const pipeAheadBytes = 8 * 1024 * 1024
/** At a terminal what was printed already stands before the answer to a key. */
const terminalAheadBytes = 1024 * 1024

function describeFailure(spec: ExecSpec, computerId: string, error: unknown): unknown {
  if (!(error instanceof CarrelError)) return error
  const program = JSON.stringify((spec.argv[0] ?? '').slice(0, 200))
  // What the runtime says of a fault names folders of the host, and goes to the log.
  const why =
    error.code === 'internal' || namesHost.test(error.message) ? 'the container runtime failed' : error.message
  return new CarrelError(error.code, `Cannot start ${program} on computer "${computerId}": ${why}`, {
    details: { computerId, cwd: spec.cwd },
    cause: error,
  })
}

const namesHost = /\/(run|sys)\//
