import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { HelperStates } from '../../../helper-states.ts'
import { MonitorClient, MonitorSilence, type RequestOptions } from './monitor-client.ts'
import type { JournalBounds } from '../monitor/journal-budget.ts'
import type { ListAnswer, MonitorEvent, Request } from '../monitor/protocol.ts'
import { monitorVersion } from '../monitor/version.ts'
import type { DriverLog } from '../../driver-log.ts'

interface Options {
  /** The directory of the monitors' sockets. */
  directory: string
  logPath: string
  log: DriverLog | undefined
  /** Limits on the disk space for the output of running processes. */
  journalBounds: JournalBounds
  helpers: HelperStates
  onEvent: (event: MonitorEvent) => void
  /**
   * Called when a monitor ended, so that its processes are lost. For the current monitor, `open` must be called again.
   */
  onLost: (loss: MonitorLoss) => void
  /** Called every second while a monitor does not answer. */
  onSilence: () => void
}

export interface MonitorLoss {
  /** True for the monitor that starts new processes. */
  current: boolean
  hadProcess: (processId: string) => boolean
  hadComputer: (computerId: string) => boolean
}

/** What a monitor of another version supervises. */
interface Duties {
  socketPath: string
  processes: Set<string>
  computers: Set<string>
}

/**
 * The monitors of a data directory. The current one has this server's version and starts new processes. A monitor that
 * an older or newer server left continues with the processes that it began, and is ended when none of them is left.
 */
export class Monitors {
  readonly #options: Options
  readonly #version = monitorVersion()
  readonly #others = new Map<MonitorClient, Duties>()
  readonly #silent = new WeakSet<MonitorClient>()
  #current: MonitorClient | undefined
  #isLost = false
  #closed = false

  constructor(options: Options) {
    this.#options = options
  }

  /** Connects to the running monitors, and starts one of this version if there is none. */
  async open(): Promise<void> {
    const { directory, log, logPath } = this.#options
    const socketPath = join(directory, socketName)
    if (this.#others.size === 0) await this.#findOthers()
    let current = await MonitorClient.connect(socketPath, this.#handlers)
    if (current) {
      const answer = await current.hello().catch((error: unknown) => {
        throw silenceFailure(current!, error)
      })
      const version = answer?.version ?? 'unknown'
      if (answer === undefined) {
        current.close()
        current = undefined
      } else if (version !== this.#version) {
        const otherPath = join(directory, `monitor-${version}-${Date.now()}.sock`)
        // A renamed socket still leads to its listener.
        await rename(socketPath, otherPath)
        const counts = await this.#keep(current, otherPath)
        log?.info(
          { version, ...counts },
          'the process monitor is of another version: it finishes what it began, and a new one starts the rest',
        )
        current = undefined
      }
    }
    const scratchDirectory = join(directory, `starts-${this.#version}`)
    current ??= await MonitorClient.start(socketPath, { scratchDirectory, logPath }, this.#handlers)
    this.#current = current
    const bounds = this.#options.journalBounds
    for (const monitor of this.#all()) void monitor.request({ op: 'bound-journals', bounds }).catch(() => {})
    this.#isLost = false
    this.#report()
    if (this.#closed) current.close()
  }

  /** Sends a request to the monitor of its process, or to the current one; `stopping` goes to all. */
  async request<T>(request: Request, options?: RequestOptions<T>): Promise<T> {
    if (request.op === 'stopping') {
      const all = this.#all()
      return (await Promise.all(all.map((monitor) => monitor.request<T>(request))))[0]!
    }
    const owner = 'processId' in request ? this.#ownerOf(request.processId) : this.#starter()
    const answer = await owner.request<T>(request, options)
    if (request.op === 'release') await this.#done(owner, (duties) => duties.processes.delete(request.processId))
    return answer
  }

  /** Returns whether the monitor of a process does not answer. */
  isSilent(processId: string): boolean {
    for (const [monitor, { processes }] of this.#others) if (processes.has(processId)) return monitor.isSilent
    return this.#current?.isSilent === true
  }

  /** Returns the processes and containers of all monitors. */
  async list(): Promise<ListAnswer> {
    const all = this.#all()
    const answers = await Promise.all(all.map((monitor) => monitor.request<ListAnswer>({ op: 'list' })))
    return {
      processes: answers.flatMap(({ processes }) => processes),
      containers: answers.flatMap(({ containers }) => containers),
    }
  }

  /** Returns the bytes that the output of running processes takes on the disk. */
  async journalBytes(): Promise<number> {
    const answers = await Promise.all(
      this.#all().map((monitor) => monitor.request<number | null>({ op: 'journal-bytes' })),
    )
    return answers.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
  }

  /** Closes the connections. The monitors continue to run. */
  close(): void {
    this.#closed = true
    for (const monitor of this.#all()) monitor.close()
  }

  readonly #handlers = {
    onEvent: (event: MonitorEvent, from: MonitorClient) => {
      this.#options.onEvent(event)
      if (event.event === 'container-exit') void this.#done(from, ({ computers }) => computers.delete(event.computerId))
    },
    onLost: (lost: MonitorClient) => this.#lost(lost),
    onSilence: (client: MonitorClient) => {
      const { log } = this.#options
      const { pid } = client
      if (!client.isSilent) {
        this.#silent.delete(client)
        log?.warn({ pid }, 'a process monitor answers again')
      } else if (this.#silent.has(client)) this.#options.onSilence()
      else {
        this.#silent.add(client)
        log?.warn({ pid }, 'a process monitor does not answer: running processes continue, and none can be started')
      }
      this.#report()
    },
  }

  #report(): void {
    const isSilent = this.#all().some((monitor) => monitor.isSilent)
    const reason = isSilent ? 'it does not answer' : this.#isLost ? 'it ended' : undefined
    this.#options.helpers.report('monitor', reason)
  }

  /** Connects to the monitors of other versions that an earlier server kept. */
  async #findOthers(): Promise<void> {
    const { directory } = this.#options
    for (const name of (await readdir(directory)).filter((entry) => /^monitor-.*\.sock$/.test(entry))) {
      const path = join(directory, name)
      const monitor = await MonitorClient.connect(path, this.#handlers)
      if (monitor) await this.#keep(monitor, path)
      else await rm(path, { force: true })
    }
  }

  /** Keeps a monitor of another version as long as it has processes to supervise, or exits to report. */
  async #keep(monitor: MonitorClient, socketPath: string): Promise<{ processes: number; computers: number }> {
    const { processes, containers } = await monitor.request<ListAnswer>({ op: 'list' })
    const duties = {
      socketPath,
      processes: new Set(processes.map(({ processId }) => processId)),
      computers: new Set(containers.map(({ computerId }) => computerId)),
    }
    this.#others.set(monitor, duties)
    await this.#done(monitor, () => true)
    return { processes: processes.length, computers: containers.length }
  }

  async #done(monitor: MonitorClient, remove: (duties: Duties) => boolean): Promise<void> {
    const duties = this.#others.get(monitor)
    if (!duties || !remove(duties) || duties.processes.size + duties.computers.size > 0) return
    this.#others.delete(monitor)
    await monitor.quit()
    await rm(duties.socketPath, { force: true })
    this.#options.log?.info({}, 'a process monitor of another version had nothing left to do and was ended')
  }

  /** Handles the end of a monitor. A connection that only checked for a monitor loses nothing. */
  #lost(lost: MonitorClient): void {
    const duties = this.#others.get(lost)
    if (lost !== this.#current && !duties) return
    this.#others.delete(lost)
    if (!duties) this.#isLost = true
    this.#report()
    const others = [...this.#others.values()]
    this.#options.onLost({
      current: duties === undefined,
      hadProcess: (id) => duties?.processes.has(id) ?? !others.some(({ processes }) => processes.has(id)),
      hadComputer: (id) => duties?.computers.has(id) ?? !others.some(({ computers }) => computers.has(id)),
    })
  }

  #all(): MonitorClient[] {
    return [...(this.#current ? [this.#current] : []), ...this.#others.keys()]
  }

  #ownerOf(processId: string): MonitorClient {
    for (const [monitor, { processes }] of this.#others) if (processes.has(processId)) return monitor
    return this.#starter()
  }

  /** Returns the current monitor. Throws `unavailable` when there is none. */
  #starter(): MonitorClient {
    if (!this.#current) throw new CarrelError('unavailable', 'The process monitor is not connected')
    return this.#current
  }
}

function silenceFailure(monitor: MonitorClient, error: unknown): unknown {
  if (!(error instanceof MonitorSilence)) return error
  const { pid } = monitor
  monitor.close()
  return new CarrelError(
    'unavailable',
    `Cannot start: the process monitor${pid === undefined ? '' : ` (process ${pid})`} does not answer; find out why, or end that process, which ends the computers that it supervises`,
  )
}

const socketName = 'monitor.sock'
