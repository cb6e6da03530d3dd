import { mkdir } from 'node:fs/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { mapWithLimit } from '../../../map-with-limit.ts'
import type { ConnectedProcess, ConnectSpec, ExecSpec, LostProcess, OutputChunk, ProcessExit } from '../../driver.ts'
import { ProcessIndex } from '../../process-index.ts'
import { endExec } from '../monitor/exec-group.ts'
import { readRecord, recordedIds, removeRecord } from '../monitor/process-record.ts'
import type { CgroupFiles, MonitorEvent, ProcessState, StartAnswer, StartRequest } from '../monitor/protocol.ts'
import { MonitorSilence } from '../monitors/monitor-client.ts'
import type { Monitors } from '../monitors/monitors.ts'
import type { StartedProcesses } from '../network/socket-owners.ts'
import type { Paths } from '../paths.ts'
import { sendSignal } from '../system/signal.ts'
import { ConnectionPipes } from './connection-pipes.ts'
import { LocalProcess } from './local-process.ts'
import { recordLostExit } from './record-lost-exit.ts'
import { startError } from './start-error.ts'
import { startRequest } from './start-request.ts'

interface Options {
  paths: Paths
  monitor: () => Monitors
  execCommand: string[]
  cgroupFiles: (computerId: string) => CgroupFiles
  /** Returns whether the disk of a computer is full. */
  isDiskFull: (computerId: string) => Promise<boolean>
  onOutput: (process: LocalProcess) => void
}

/** The processes of all computers that run, or have ended and were not released. */
export class LocalProcesses {
  readonly #options: Options
  readonly #known = new ProcessIndex<LocalProcess>()
  /** Processes whose start was requested: the exit event can arrive together with the answer. */
  readonly #starting = new Map<string, Promise<LocalProcess>>()
  /** Released processes whose exit may not be on the disk yet, as the monitor reports an exit before it writes it. */
  readonly #releasing = new Map<string, LocalProcess>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Adopts the processes that the monitors have from before. */
  async load(states: ProcessState[]): Promise<void> {
    await mkdir(this.#options.paths.processes, { recursive: true, mode: 0o700 })
    await ConnectionPipes.clear(this.#options.paths.connections)
    for (const state of states) this.#known.add(new LocalProcess(state, this.#options.monitor))
  }

  /** Starts a process whose stdin and stdout are streams of this server. */
  async connect(computerId: string, spec: ConnectSpec): Promise<ConnectedProcess> {
    const pipes = new ConnectionPipes(this.#options.paths.connections, spec.processId)
    let process: LocalProcess
    try {
      process = await this.start(computerId, { ...spec, stdin: false }, pipes.streams)
    } catch (error) {
      pipes.abandon()
      throw error
    }
    return { process, ...pipes.open() }
  }

  async start(computerId: string, spec: ExecSpec, streams?: StartRequest['streams']): Promise<LocalProcess> {
    const { monitor } = this.#options
    const process = startRequest(this.#options, computerId, spec, streams)
    const { processId } = process
    const starting = Promise.withResolvers<LocalProcess>()
    this.#starting.set(processId, starting.promise)
    const keep = (answer: StartAnswer) => {
      const started = this.#keepStarted(process, answer)
      starting.resolve(started)
      this.#starting.delete(processId)
      return started
    }
    const late = (answer: StartAnswer | undefined) => {
      if (answer) this.#endAbandoned(keep(answer))
      else this.#starting.delete(processId)
    }
    const notAfterMs = Date.now() + limits.monitorTimeoutMs
    try {
      return keep(await monitor().request<StartAnswer>({ op: 'start', process, notAfterMs }, { late }))
    } catch (error) {
      if (!(error instanceof MonitorSilence && error.wasSent)) this.#starting.delete(processId)
      throw startError(spec, computerId, error)
    }
  }

  #keepStarted(request: StartRequest, answer: StartAnswer): LocalProcess {
    const { processId, computerId, directory, aheadBytes, timeoutMs, meta } = request
    const state = { processId, computerId, directory, aheadBytes, timeoutMs, meta, ...answer }
    const started = new LocalProcess(state, this.#options.monitor)
    this.#known.add(started)
    return started
  }

  /** Ends a process that started after its start was abandoned, since its caller got an error. */
  #endAbandoned(process: LocalProcess): void {
    void process.kill('SIGKILL', 'tree').catch(() => {})
    void process.wait().then(() => this.forget(process.processId))
  }

  /** Ends processes over their time limit while the monitor does not answer. The monitor learns of their ends later. */
  endOverdue(): void {
    const now = Date.now()
    for (const process of this.running()) {
      const { timeoutMs = Infinity, startedAtMs } = process
      if (process.unresponsive && now - startedAtMs > timeoutMs + limits.overdueMs) this.#endTree(process)
    }
  }

  /**
   * Ends a process and its descendants without the monitor. The host process id cannot be reused, as the monitor has
   * not reaped the process. Descendants are found by their group, or by the monitor once it answers.
   */
  #endTree({ processId, computerId, hostPid }: LocalProcess): void {
    sendSignal(hostPid, 'SIGKILL')
    void endExec(processId, this.#options.cgroupFiles(computerId)).catch(() => {})
  }

  /** Returns a process that runs or was not released, or otherwise one whose exit is on the disk. */
  get(processId: string): LocalProcess | undefined {
    return this.#known.get(processId) ?? this.#releasing.get(processId) ?? this.#fromDisk(processId)
  }

  running(): LocalProcess[] {
    return this.#known.all().filter(({ exit }) => !exit)
  }

  runningOn(computerId: string): LocalProcess[] {
    return this.on(computerId).filter(({ exit }) => !exit)
  }

  startedOn(computerId: string): StartedProcesses {
    return {
      computerId,
      byPid: new Map(this.runningOn(computerId).map(({ hostPid, processId }) => [hostPid, processId])),
      // The id comes from inside the computer, so it is checked before it becomes a part of a path.
      has: (processId) => /^[0-9A-Za-z_-]{1,64}$/.test(processId) && this.get(processId)?.computerId === computerId,
    }
  }

  all(): LocalProcess[] {
    return this.#known.all()
  }

  on(computerId: string): LocalProcess[] {
    return this.#known.on(computerId)
  }

  async output(processId: string, cursor: number): Promise<OutputChunk> {
    const found = this.get(processId)
    if (!found)
      throw new CarrelError('not_found', `Cannot read the output of process "${processId}": no output is retained`, {
        details: { processId },
      })
    await found.checkCursor(cursor)
    return found.read(cursor)
  }

  release(processId: string): void {
    void this.#release(processId)
  }

  /** Waits for the answer to `release`, after which the monitor has written its record of the exit. */
  async forget(processId: string): Promise<void> {
    await this.#release(processId)
    await removeRecord(this.#options.paths.process(processId))
  }

  async #release(processId: string): Promise<void> {
    const released = this.#known.delete(processId)
    if (released) this.#releasing.set(processId, released)
    await this.#options
      .monitor()
      .request({ op: 'release', processId })
      .catch(() => {})
    this.#releasing.delete(processId)
  }

  retained(): AsyncIterable<string> {
    return recordedIds(this.#options.paths.processes)
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

  /** Ends the processes of a lost monitor, whose exits cannot be known. Returns the ids of their computers. */
  async lost(isLost: (processId: string) => boolean): Promise<Set<string>> {
    const lost = this.running().filter(({ processId }) => isLost(processId))
    await mapWithLimit(lost, maxConcurrent, async (process) => process.ended(await this.#recordLost(process)))
    return new Set(lost.map(({ computerId }) => computerId))
  }

  /** As `Driver.recordLost`, for a process of an earlier server whose exit no monitor recorded. */
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

  #recordLost(process: LostProcess): Promise<ProcessExit> {
    return recordLostExit(this.#options.paths.process(process.processId), process)
  }

  async #explain(computerId: string, exit: ProcessExit): Promise<ProcessExit> {
    if (exit.reason !== 'exited' || exit.exitCode === 0) return exit
    // The computer may have been removed meanwhile.
    const isDiskFull = await this.#options.isDiskFull(computerId).catch(() => false)
    return isDiskFull ? { ...exit, reason: 'disk_full' } : exit
  }

  #fromDisk(processId: string): LocalProcess | undefined {
    const record = readRecord(this.#options.paths.process(processId))
    if (!record) return undefined
    return new LocalProcess(record.state, this.#options.monitor, record.journal)
  }
}

const maxConcurrent = 4
