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
  /** Where monitors listen. */
  directory: string
  logPath: string
  log: DriverLog | undefined
  /** What the output of running processes may take on the disk. */
  journalBounds: JournalBounds
  helpers: HelperStates
  onEvent: (event: MonitorEvent) => void
  /** A monitor ended, and what it supervised is lost. For the one that starts what is new, `open` has to be called again. */
  onLost: (loss: MonitorLoss) => void
  /** Called every second while one of them answers nobody. */
  onSilence: () => void
}

export interface MonitorLoss {
  /** True for the one that starts what is new. */
  current: boolean
  hadProcess: (processId: string) => boolean
  hadComputer: (computerId: string) => boolean
}

/** What a monitor of another version still supervises. */
interface Duties {
  socketPath: string
  processes: Set<string>
  computers: Set<string>
}

/**
 * The monitors of a data directory. One, of this server's version, starts what is new. One that an older or newer server
 * left goes on with what it had begun, and is ended when nothing of that is left.
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

  /** Connects to the monitors that run, and starts one of this version where there is none. */
  async open(): Promise<void> {
    const { directory, log, logPath } = this.#options
    const socketPath = join(directory, socketName)
    if (this.#others.size === 0) await this.#findOthers()
    let current = await MonitorClient.connect(socketPath, this.#handlers)
    if (current) {
      const answer = await current.hello().catch((error: unknown) => {
        throw notHeard(current!, error)
      })
      const version = answer?.version ?? 'unknown'
      if (answer === undefined) {
        current.close()
        current = undefined
      } else if (version !== this.#version) {
        const aside = join(directory, `monitor-${version}-${Date.now()}.sock`)
        // It listens on it under the new name too.
        await rename(socketPath, aside)
        const left = await this.#keep(current, aside)
        log?.info(
          { version, ...left },
          'the process monitor is of another version: it ends what it began, a new one starts the rest',
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

  /** To the monitor that it is for. */
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

  /** True while the one that supervises a process answers nobody. */
  isSilent(processId: string): boolean {
    for (const [monitor, { processes }] of this.#others) if (processes.has(processId)) return monitor.isSilent
    return this.#current?.isSilent === true
  }

  /** What all of them supervise. */
  async list(): Promise<ListAnswer> {
    const all = this.#all()
    const answers = await Promise.all(all.map((monitor) => monitor.request<ListAnswer>({ op: 'list' })))
    return {
      processes: answers.flatMap(({ processes }) => processes),
      containers: answers.flatMap(({ containers }) => containers),
    }
  }

  /** What the output of running processes takes on the disk. */
  async journalBytes(): Promise<number> {
    const answers = await Promise.all(
      this.#all().map((monitor) => monitor.request<number | null>({ op: 'journal-bytes' })),
    )
    return answers.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
  }

  /** Lets go of them; they go on. */
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
        log?.warn({ pid }, 'a process monitor does not answer: what runs goes on, and nothing can be started')
      }
      this.#report()
    },
  }

  #report(): void {
    const isSilent = this.#all().some((monitor) => monitor.isSilent)
    const reason = isSilent ? 'it does not answer' : this.#isLost ? 'it ended' : undefined
    this.#options.helpers.report('monitor', reason)
  }

  /** Those that a server before this one had put aside. */
  async #findOthers(): Promise<void> {
    const { directory } = this.#options
    for (const name of (await readdir(directory)).filter((entry) => /^monitor-.*\.sock$/.test(entry))) {
      const path = join(directory, name)
      const monitor = await MonitorClient.connect(path, this.#handlers)
      if (monitor) await this.#keep(monitor, path)
      else await rm(path, { force: true })
    }
  }

  /** Keeps it as long as it has something to supervise, or to tell. */
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

  async #done(monitor: MonitorClient, strike: (duties: Duties) => boolean): Promise<void> {
    const duties = this.#others.get(monitor)
    if (!duties || !strike(duties) || duties.processes.size + duties.computers.size > 0) return
    this.#others.delete(monitor)
    await monitor.quit()
    await rm(duties.socketPath, { force: true })
    this.#options.log?.info({}, 'a process monitor of another version had nothing left to do and was ended')
  }

  /** Of one that was only asked whether it is there, nothing is lost. */
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

  /** The one that starts what is new. */
  #starter(): MonitorClient {
    if (!this.#current) throw new CarrelError('unavailable', 'The process monitor is not connected')
    return this.#current
  }
}

function notHeard(monitor: MonitorClient, error: unknown): unknown {
  if (!(error instanceof MonitorSilence)) return error
  const { pid } = monitor
  monitor.close()
  return new CarrelError(
    'unavailable',
    `Cannot start: the process monitor${pid === undefined ? '' : ` (process ${pid})`} does not answer; find out why, or end it, which ends the computers that it supervises`,
  )
}

const socketName = 'monitor.sock'
