import type { Logger } from 'pino'
import type { Driver, Listener, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { LiveEvents, OpenPort } from '../live-events.ts'

interface Lookout {
  ports: Map<number, OpenPort>
  /** Processes of the API that run. */
  running: number
  /** When something last began, printed or ended. */
  stirredAtMs: number
  timer: NodeJS.Timeout | undefined
  dueAtMs: number
}

/**
 * Finds out on which ports the programs of a computer listen, without being asked. It looks when a process begins,
 * prints or ends, and after that each time twice as long as before: the first seconds are covered closely, and a
 * computer in which nothing stirs is looked at some twenty times a day. Each opening of a port is told once.
 */
export class PortWatch {
  readonly #driver: Pick<Driver, 'listeners'>
  readonly #events: LiveEvents
  readonly #log: Pick<Logger, 'warn'>
  readonly #lookouts = new Map<string, Lookout>()
  /** Computers whose turn it is. */
  readonly #due = new Set<string>()
  #working = false

  constructor(driver: Pick<Driver, 'listeners'>, events: LiveEvents, log: Pick<Logger, 'warn'>) {
    this.#driver = driver
    this.#events = events
    this.#log = log
  }

  /** Looks what this process opens, until it has ended. */
  watch(process: ProcessHandle): void {
    const { computerId } = process
    const lookout = this.#stir(computerId)
    lookout.running++
    void process.wait().then(() => {
      lookout.running--
      // Not when the computer was stopped meanwhile.
      if (this.#lookouts.get(computerId) === lookout) this.#stir(computerId)
    })
  }

  /** A process printed: servers say so when they are ready. */
  printed({ computerId }: ProcessHandle): void {
    this.#stir(computerId)
  }

  /** The ports that are open now, ascending; none when the computer does not run. */
  async look(computerId: string): Promise<OpenPort[]> {
    try {
      this.#compare(computerId, await this.#driver.listeners(computerId))
    } catch (error) {
      if (error instanceof CarrelError) this.forget(computerId)
      else this.#log.warn({ err: error, computer: computerId }, 'cannot see which ports are open')
    }
    return [...(this.#lookouts.get(computerId)?.ports.values() ?? [])]
  }

  /** The computer has stopped. */
  forget(computerId: string): void {
    const lookout = this.#lookouts.get(computerId)
    if (!lookout) return
    clearTimeout(lookout.timer)
    this.#due.delete(computerId)
    this.#lookouts.delete(computerId)
    for (const port of lookout.ports.values()) this.#events.emit({ type: 'port.closed', computerId, port })
  }

  close(): void {
    for (const { timer } of this.#lookouts.values()) clearTimeout(timer)
    this.#due.clear()
    this.#lookouts.clear()
  }

  #stir(computerId: string): Lookout {
    const lookout = this.#lookouts.get(computerId) ?? this.#newLookout(computerId)
    lookout.stirredAtMs = Date.now()
    this.#schedule(computerId, lookout, firstLookMs)
    return lookout
  }

  #newLookout(computerId: string): Lookout {
    const lookout = { ports: new Map(), running: 0, stirredAtMs: 0, timer: undefined, dueAtMs: Infinity }
    this.#lookouts.set(computerId, lookout)
    return lookout
  }

  /** An earlier look that is due already stays so, or constant stirring would put it off for ever. */
  #schedule(computerId: string, lookout: Lookout, inMs: number): void {
    const dueAtMs = Date.now() + inMs
    if (lookout.dueAtMs <= dueAtMs) return
    clearTimeout(lookout.timer)
    lookout.dueAtMs = dueAtMs
    lookout.timer = setTimeout(() => {
      this.#due.add(computerId)
      if (!this.#working) void this.#work()
    }, inMs).unref()
  }

  /** One after the other, with a rest: however many computers stir, looking takes a small part of one processor. */
  async #work(): Promise<void> {
    this.#working = true
    try {
      for (const computerId of this.#due) {
        this.#due.delete(computerId)
        const begunAtMs = performance.now()
        await this.look(computerId)
        const lookout = this.#lookouts.get(computerId)
        if (lookout) this.#lookAgain(computerId, lookout)
        await rest((performance.now() - begunAtMs) * restFactor)
      }
    } finally {
      this.#working = false
    }
  }

  #lookAgain(computerId: string, lookout: Lookout): void {
    const quietMs = Date.now() - lookout.stirredAtMs
    lookout.dueAtMs = Infinity
    if (lookout.running > 0 || quietMs < afterEndMs)
      this.#schedule(computerId, lookout, Math.min(Math.max(firstLookMs, quietMs), longestWaitMs))
    else if (lookout.ports.size === 0) this.#lookouts.delete(computerId)
  }

  #compare(computerId: string, listeners: Listener[]): void {
    const known = this.#lookouts.get(computerId)
    if (!known && listeners.length === 0) return
    const lookout = known ?? this.#newLookout(computerId)
    const before = lookout.ports
    lookout.ports = openPorts(listeners, before)
    for (const port of before.values())
      if (!isSame(lookout.ports.get(port.port), port)) this.#events.emit({ type: 'port.closed', computerId, port })
    for (const port of lookout.ports.values())
      if (!isSame(before.get(port.port), port)) this.#events.emit({ type: 'port.detected', computerId, port })
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

/** One for each port, that which is bound most widely; what was known stays as it was detected. */
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

/** Another process on the port is another opening. */
function isSame(one: { processId: string | undefined } | undefined, other: { processId: string | undefined }): boolean {
  return one !== undefined && one.processId === other.processId
}

function width({ address, reachable }: { address: string; reachable: boolean }): number {
  if (address === '0.0.0.0' || address === '::') return 2
  return reachable ? 1 : 0
}

/** A program that listens takes some ten milliseconds to start at least. */
const firstLookMs = 50
/** What a process left behind, `server &`, may still be starting. */
const afterEndMs = 5_000
const longestWaitMs = 24 * 60 * 60 * 1000
/** Looking takes one part in twenty at most. */
const restFactor = 20
/** Of one computer; a guest could listen on all of them. */
const maxPorts = 256
