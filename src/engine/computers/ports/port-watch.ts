import type { Logger } from 'pino'
import type { Driver, Listener, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { desktopPort } from '../desktop/desktop-process.ts'
import type { LiveEvents, OpenPort } from '../live-events.ts'

interface Watch {
  ports: Map<number, OpenPort>
  /** The number of processes that run, orphaned ones not included. */
  running: number
  /** When a process last began, printed or ended. */
  activeAtMs: number
  timer: NodeJS.Timeout | undefined
  dueAtMs: number
}

/**
 * Finds out on which ports the programs of a computer listen, without being asked. It scans when a process begins,
 * prints or ends, and after that each time twice as long as before: the first seconds are covered closely, and a
 * computer in which nothing happens is scanned some twenty times a day. Each opening of a port is reported once.
 */
export class PortWatch {
  readonly #driver: Pick<Driver, 'listeners' | 'process'>
  readonly #events: LiveEvents
  readonly #log: Pick<Logger, 'warn'>
  readonly #watches = new Map<string, Watch>()
  /** Computers that wait for their scan. */
  readonly #due = new Set<string>()
  #working = false

  constructor(driver: Pick<Driver, 'listeners' | 'process'>, events: LiveEvents, log: Pick<Logger, 'warn'>) {
    this.#driver = driver
    this.#events = events
    this.#log = log
  }

  /** Scans for what a process opens, until it has ended. */
  watch(process: ProcessHandle): void {
    const { computerId } = process
    const watch = this.#wake(computerId)
    watch.running++
    void process.wait().then(() => {
      watch.running--
      // The computer may have stopped meanwhile.
      if (this.#watches.get(computerId) === watch) this.#wake(computerId)
    })
  }

  /** Scans soon, as a process has printed: servers print when they are ready. */
  printed({ computerId }: ProcessHandle): void {
    this.#wake(computerId)
  }

  /** Scans a computer and returns its open ports, ascending; none when the computer does not run. */
  async scan(computerId: string): Promise<OpenPort[]> {
    try {
      const listeners = await this.#driver.listeners(computerId)
      this.#compare(
        computerId,
        listeners.filter((listener) => !this.#isDesktop(listener)),
      )
    } catch (error) {
      if (error instanceof CarrelError) this.forget(computerId)
      else this.#log.warn({ err: error, computer: computerId }, 'cannot read which ports are open')
    }
    return [...(this.#watches.get(computerId)?.ports.values() ?? [])]
  }

  /** Reports the ports of a computer that has stopped as closed. */
  forget(computerId: string): void {
    const watch = this.#watches.get(computerId)
    if (!watch) return
    clearTimeout(watch.timer)
    this.#due.delete(computerId)
    this.#watches.delete(computerId)
    for (const port of watch.ports.values()) this.#events.emit({ type: 'port.closed', computerId, port })
  }

  close(): void {
    for (const { timer } of this.#watches.values()) clearTimeout(timer)
    this.#due.clear()
    this.#watches.clear()
  }

  #wake(computerId: string): Watch {
    const watch = this.#watches.get(computerId) ?? this.#newWatch(computerId)
    watch.activeAtMs = Date.now()
    this.#schedule(computerId, watch, firstScanMs)
    return watch
  }

  #newWatch(computerId: string): Watch {
    const watch = { ports: new Map(), running: 0, activeAtMs: 0, timer: undefined, dueAtMs: Infinity }
    this.#watches.set(computerId, watch)
    return watch
  }

  /** Schedules a scan, unless an earlier one is due already, which constant activity must not delay. */
  #schedule(computerId: string, watch: Watch, inMs: number): void {
    const dueAtMs = Date.now() + inMs
    if (watch.dueAtMs <= dueAtMs) return
    clearTimeout(watch.timer)
    watch.dueAtMs = dueAtMs
    watch.timer = setTimeout(() => {
      this.#due.add(computerId)
      if (!this.#working) void this.#work()
    }, inMs).unref()
  }

  /**
   * Scans the computers that are due one after the other, with a rest between: however many computers are active,
   * scanning takes a small part of one processor.
   */
  async #work(): Promise<void> {
    this.#working = true
    try {
      for (const computerId of this.#due) {
        this.#due.delete(computerId)
        const begunAtMs = performance.now()
        await this.scan(computerId)
        const watch = this.#watches.get(computerId)
        if (watch) this.#scheduleNext(computerId, watch)
        await pause((performance.now() - begunAtMs) * pauseFactor)
      }
    } finally {
      this.#working = false
    }
  }

  #scheduleNext(computerId: string, watch: Watch): void {
    const quietMs = Date.now() - watch.activeAtMs
    watch.dueAtMs = Infinity
    if (watch.running > 0 || quietMs < afterEndMs)
      this.#schedule(computerId, watch, Math.min(Math.max(firstScanMs, quietMs), maxScanIntervalMs))
    else if (watch.ports.size === 0) this.#watches.delete(computerId)
  }

  /** The screen is the server's way to a desktop, and no program of the user's. */
  #isDesktop({ port, processId }: Listener): boolean {
    const process = processId === undefined ? undefined : this.#driver.process(processId)
    return process !== undefined && desktopPort(process) === port
  }

  #compare(computerId: string, listeners: Listener[]): void {
    const known = this.#watches.get(computerId)
    if (!known && listeners.length === 0) return
    const watch = known ?? this.#newWatch(computerId)
    const before = watch.ports
    watch.ports = openPorts(listeners, before)
    for (const port of before.values())
      if (!isSame(watch.ports.get(port.port), port)) this.#events.emit({ type: 'port.closed', computerId, port })
    for (const port of watch.ports.values())
      if (!isSame(before.get(port.port), port)) this.#events.emit({ type: 'port.detected', computerId, port })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

/**
 * Returns one entry for each port: its most widely bound listener. A port that was known keeps the time of its
 * detection.
 */
function openPorts(listeners: Listener[], before: Map<number, OpenPort>): Map<number, OpenPort> {
  const ports = new Map<number, OpenPort>()
  for (const listener of listeners) {
    const { port } = listener
    const other = ports.get(port)
    if (other ? width(other) >= width(listener) : ports.size === maxPorts) continue
    const known = before.get(port)
    ports.set(port, { ...listener, detectedAtMs: known && isSame(known, listener) ? known.detectedAtMs : Date.now() })
  }
  return ports
}

/** Returns whether both are one opening: another process on the port is another opening. */
function isSame(one: { processId: string | undefined } | undefined, other: { processId: string | undefined }): boolean {
  return one !== undefined && one.processId === other.processId
}

function width({ address, reachable }: { address: string; reachable: boolean }): number {
  if (address === '0.0.0.0' || address === '::') return 2
  return reachable ? 1 : 0
}

/** A program that listens takes at least some ten milliseconds to start. */
const firstScanMs = 50
/** An orphaned process, as from `server &`, may still be starting. */
const afterEndMs = 5_000
const maxScanIntervalMs = 24 * 60 * 60 * 1000
/** Scanning takes at most one part in twenty of a processor. */
const pauseFactor = 20
/** For each computer; a guest could listen on all ports. */
const maxPorts = 256
