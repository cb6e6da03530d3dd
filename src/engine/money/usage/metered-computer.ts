import type { UsageInterval } from './record-usage.ts'
import { UnattendedWork } from './unattended-work.ts'

/** The sources of times and of processor time. */
export interface MeterSources {
  /** The time of day in milliseconds. */
  now(): number
  /** Milliseconds on a monotonic clock. */
  elapsed(): number
  /** Processor time of a computer since it started, in microseconds; undefined where it cannot be read. */
  cpuMicros(computerId: string): number | undefined
}

export interface MeteredFacts {
  computerId: string
  accountId: string
  label: string | null
  /** Maximum number of processors. */
  cpus: number
  /** True for a computer that costs while it runs; a sandbox costs while something works in it. */
  costsWhileRunning: boolean
}

/**
 * What the last check found in a computer beside the processes that were started here: an idle `kernel`, a kernel that
 * is `working` between calls, or orphaned `programs`. With `nothing`, nothing can be there before something is started
 * again.
 */
export type UnattendedState = 'nothing' | 'kernel' | 'working' | 'programs'

/** What a killed server metered and did not charge, as far as it can be known. */
export interface Uncharged {
  used: { tokenId: string | null; ms: number }[]
  /** Time in which no process ran that was started here, and the processor time used in it. */
  free: { ms: number; cpuMicros: number }
  lastTokenId: string | null
}

/**
 * The processor time of a computer over all its runs, without what the runtime takes for starts, and how long it ran.
 */
export interface CpuTotals {
  usedMicros: number
  openMs: number
}

/**
 * The kernel's counter of a computer's processor time at one time, and the totals; the counter is 0 for a stopped
 * computer.
 */
export interface CpuSnapshot extends CpuTotals {
  computerId: string
  accountId: string
  cpus: number
  counterMicros: number
  atMs: number
}

/**
 * Meters one computer. Each call first counts the time since the previous call: for a token while a process runs that
 * was started here, otherwise as free, until it is judged by the processor time that was used meanwhile.
 */
export class MeteredComputer {
  readonly facts: MeteredFacts
  readonly #sources: MeterSources
  /** Everything before this time is in an interval already. */
  windowStartMs: number
  /** When an interval was last cut; 0 before the first one. */
  cutAtMs = 0
  unattendedState: UnattendedState = 'nothing'
  /** The token whose process began last, which pays for orphans. */
  lastTokenId: string | null = null
  /** Time that is not in an interval yet, by the token that pays. */
  readonly #unbilledMs = new Map<string | null, number>()
  /** The tokens of running processes, in the order of their start; the first one pays. */
  readonly #running = new Map<string, string | null>()
  /** The number of starts under way. */
  #starting = 0
  /** Processor time during starts, of the runtime and of anything else. */
  #startingMicros = 0
  #freeMs = 0
  #freeMicros = 0
  readonly #unattended = new UnattendedWork()
  /** Whether something was started since the last check. */
  #isUnchecked = true
  #hasWorked = true
  #isStopping = false
  #countedTo: number
  #counterMicros: number
  readonly #totals: CpuTotals
  #snapshotMicros: number

  constructor(
    facts: MeteredFacts,
    sources: MeterSources,
    { windowStartMs, totals }: { windowStartMs: number; totals: CpuTotals },
  ) {
    this.facts = facts
    this.#sources = sources
    this.windowStartMs = windowStartMs
    this.#countedTo = sources.elapsed()
    this.#counterMicros = this.#readCounter() ?? 0
    this.#totals = { usedMicros: totals.usedMicros, openMs: totals.openMs }
    this.#snapshotMicros = totals.usedMicros
  }

  /** A process that was started here runs: the time costs, whatever else works. */
  get isAttended(): boolean {
    return this.#running.size > 0
  }

  /** A start is under way: a check for orphans would find the runtime. */
  get isStarting(): boolean {
    return this.#starting > 0
  }

  /** Work that was not started here is possible. */
  get mayHideWork(): boolean {
    return !this.facts.costsWhileRunning && (this.#isUnchecked || this.unattendedState !== 'nothing')
  }

  /** The computer costs, as far as is known. */
  get costs(): boolean {
    return (
      this.facts.costsWhileRunning ||
      this.#running.size > 0 ||
      this.unattendedState === 'programs' ||
      this.unattendedState === 'working'
    )
  }

  /** The computer costs, or is about to. */
  get spends(): boolean {
    return this.#starting > 0 || this.costs
  }

  /** A check could find that the computer costs. */
  get maySpend(): boolean {
    return !this.spends && (this.#isUnchecked || this.unattendedState === 'kernel')
  }

  /** Takes over what the previous server did not charge. */
  takeOver({ used, free, lastTokenId }: Uncharged): void {
    for (const { tokenId, ms } of used) this.add(tokenId, ms)
    this.#freeMs += free.ms
    this.#freeMicros += free.cpuMicros
    this.lastTokenId = lastTokenId
  }

  beginStart(): void {
    this.count()
    this.#starting++
  }

  endStart(): void {
    this.count()
    this.#starting--
    // A failed start can leave something running too.
    this.#isUnchecked = true
    if (this.#starting === 0) this.#settleStart()
  }

  began(processId: string, tokenId: string | null): void {
    this.count()
    this.#settleStart()
    if (this.#running.size === 0) this.#chargeUnattended(this.unattendedState === 'programs' ? this.#freeMs : 0)
    this.#running.set(processId, tokenId)
    this.lastTokenId = tokenId
    this.#isUnchecked = true
  }

  ended(processId: string): void {
    this.count()
    this.#running.delete(processId)
  }

  /** Returns whether anything has happened since the last check, so that another one is worth its cost. */
  hasChanged(): boolean {
    this.count()
    return this.#isUnchecked || this.#hasWorked
  }

  /**
   * Records that nothing happened since the last check, or that no check is possible: what was found is taken to be
   * there still.
   */
  recordNoChange(): void {
    this.count()
    this.#settleStart()
    const costMs = this.#chargeUnattended(this.unattendedState === 'programs' ? this.#freeMs : 0)
    if (this.unattendedState === 'working' && costMs === 0) this.unattendedState = 'kernel'
  }

  /**
   * Records what a check found: for how long an orphaned program has run, undefined for none, and whether there is a
   * kernel.
   */
  recordCheck(programsMs: number | undefined, hasKernel: boolean): void {
    this.#isUnchecked = this.#hasWorked = false
    // A program that is there now can be a child of an earlier one.
    const presentMs =
      programsMs === undefined
        ? 0
        : this.unattendedState === 'programs'
          ? this.#freeMs
          : Math.min(this.#freeMs, programsMs)
    const costMs = this.#chargeUnattended(presentMs)
    this.unattendedState =
      programsMs !== undefined ? 'programs' : !hasKernel ? 'nothing' : costMs > 0 ? 'working' : 'kernel'
  }

  /**
   * The computer is about to stop; nobody pays for the time in which its programs end. Called while its processor time
   * can still be read.
   */
  stopping(): void {
    this.count()
    this.#settleStart()
    this.#chargeUnattended(this.unattendedState === 'programs' ? this.#freeMs : 0)
    this.unattendedState = 'nothing'
    this.#isUnchecked = false
    this.#isStopping = true
  }

  /** The orphans were ended now. */
  programsEnded(): void {
    this.count()
    this.#chargeUnattended(this.unattendedState === 'programs' ? this.#freeMs : 0)
    this.unattendedState = 'nothing'
    this.#isUnchecked = true
  }

  /** The computer did not stop after all. */
  stopFailed(): void {
    this.count()
    this.#isStopping = false
    this.#isUnchecked = true
  }

  /** Adds milliseconds that a token pays. */
  add(tokenId: string | null, ms: number): void {
    this.#unbilledMs.set(tokenId, (this.#unbilledMs.get(tokenId) ?? 0) + ms)
  }

  /** Returns the time that is not in an interval yet. */
  unbilledMs(): number {
    this.count()
    let sum = 0
    for (const ms of this.#unbilledMs.values()) sum += ms
    return sum
  }

  /** Counts the time and the processor time since the last call. */
  count(): void {
    const elapsed = this.#sources.elapsed()
    const passedMs = elapsed - this.#countedTo
    this.#countedTo = elapsed
    const micros = this.#countMicros()
    this.#totals.openMs += passedMs
    const [payer = this.facts.costsWhileRunning ? null : undefined] = this.#running.values()
    if (payer !== undefined) this.add(payer, passedMs)
    else if (!this.#isStopping) {
      this.#freeMs += passedMs
      if (this.#starting > 0) this.#startingMicros += micros
      else this.#freeMicros += micros
    }
  }

  /** Cuts the usage up to now into intervals of whole milliseconds that follow the previous ones. */
  cut(): UsageInterval[] {
    this.count()
    // The snapshot after this cut says that all work up to now is in intervals.
    if (!this.isAttended && !this.isStarting && !this.facts.costsWhileRunning)
      this.#chargeUnattended(this.unattendedState === 'programs' ? this.#freeMs : 0)
    const { computerId, accountId, label } = this.facts
    const startedAtMs = this.windowStartMs
    const whole = [...this.#unbilledMs].flatMap(([tokenId, ms]) =>
      ms >= 1 ? [{ tokenId, quantity: Math.floor(ms) }] : [],
    )
    const used = whole.reduce((sum, { quantity }) => sum + quantity, 0)
    const endedAtMs = Math.max(this.#sources.now(), startedAtMs + used)
    // Fractions of a millisecond are carried over to the next interval.
    for (const { tokenId, quantity } of whole) this.add(tokenId, -quantity)
    this.windowStartMs = endedAtMs
    if (whole.length > 0) this.cutAtMs = this.#sources.now()
    return whole.map(({ tokenId, quantity }) => ({
      id: `usage:${computerId}:compute:${startedAtMs}${tokenId === null ? '' : `:${tokenId}`}`,
      accountId,
      computerId,
      meter: 'compute',
      startedAtMs,
      endedAtMs,
      quantity,
      tokenId,
      label,
    }))
  }

  /**
   * Returns the computer's processor time, right after a cut; undefined when it has hardly changed since the last
   * snapshot.
   */
  snapshot({ isDue, isRunning }: { isDue: boolean; isRunning: boolean }): CpuSnapshot | undefined {
    if (!isDue && this.#totals.usedMicros - this.#snapshotMicros < snapshotThresholdMicros) return undefined
    this.#snapshotMicros = this.#totals.usedMicros
    const { computerId, accountId, cpus } = this.facts
    const counterMicros = isRunning ? this.#counterMicros : 0
    return { computerId, accountId, cpus, counterMicros, ...this.#totals, atMs: this.#sources.now() }
  }

  /** Removes the processor time that the runtime itself needs for a start. */
  #settleStart(): void {
    const runtimeMicros = Math.min(this.#startingMicros, startMicros)
    this.#freeMicros += this.#startingMicros - runtimeMicros
    this.#totals.usedMicros -= runtimeMicros
    this.#startingMicros = 0
  }

  /**
   * Charges free time: at least `presentMs`, in which an orphaned program was there. Returns the charged milliseconds.
   */
  #chargeUnattended(presentMs: number): number {
    const costMs = Math.max(presentMs, this.#unattended.costMs(this.#freeMs, this.#freeMicros))
    // Time that is paid is not paid again for the work in it.
    if (presentMs > 0) this.#unattended.discard()
    this.#freeMs = this.#freeMicros = 0
    if (costMs > 0) this.add(this.lastTokenId, costMs)
    return costMs
  }

  #countMicros(): number {
    const counter = this.#readCounter()
    if (counter === undefined) return 0
    const micros = Math.max(0, counter - this.#counterMicros)
    this.#counterMicros = counter
    if (!this.#isStopping) this.#totals.usedMicros += micros
    if (micros > 0) this.#hasWorked = true
    return micros
  }

  #readCounter(): number | undefined {
    return this.#sources.cpuMicros(this.facts.computerId)
  }
}

/** A start takes the runtime 1 to 3 ms of a processor inside the computer. */
const startMicros = 5_000
const snapshotThresholdMicros = 250_000
