import type { UsagePiece } from './record-usage.ts'
import { UnattendedWork } from './unattended-work.ts'

/** Where times and processor time come from. */
export interface Gauges {
  /** The time of day in milliseconds. */
  now(): number
  /** Milliseconds on a clock that only ever goes forward, whatever is done to the time of day. */
  elapsed(): number
  /** Processor time of a computer since it started, in microseconds; undefined where that cannot be told. */
  cpuMicros(computerId: string): number | undefined
}

export interface MeteredFacts {
  computerId: string
  accountId: string
  label: string | null
  /** Processors that it may use at most. */
  cpus: number
  /** True for one that costs while it runs; else it costs while something works in it. */
  always: boolean
}

/**
 * What was last seen in a computer beside what was started here: a `kernel` that waits, a kernel that is `working`
 * between calls, `programs` that were left behind. In one with `nothing` there can be nothing before something is
 * started again.
 */
export type Found = 'nothing' | 'kernel' | 'working' | 'programs'

/** What a server that was killed counted and did not charge, as far as it can be known. */
export interface Uncharged {
  used: { tokenId: string | null; ms: number }[]
  /** Time in which nothing ran that was started here, and what was used of processors meanwhile. */
  free: { ms: number; cpuMicros: number }
  lastTokenId: string | null
}

/**
 * What a computer used of processors over all the times that it ran, without what the runtime takes for starts, and for
 * how long it ran.
 */
export interface CpuTotals {
  usedMicros: number
  openMs: number
}

/**
 * What the kernel's counter of a computer's processor time said at a moment, and what it comes to; 0 for one that does
 * not run.
 */
export interface CpuMark extends CpuTotals {
  computerId: string
  accountId: string
  cpus: number
  counterMicros: number
  atMs: number
}

/**
 * One computer that is counted. Each call first counts what passed since the one before: for whom it was when something
 * ran that was started here, else as free, until it is judged by the processor time that was used meanwhile.
 */
export class MeteredComputer {
  readonly facts: MeteredFacts
  readonly #gauges: Gauges
  /** Everything before it is in a piece already. */
  windowStartMs: number
  /** When something was put into a piece the last time; 0 before. */
  cutAtMs = 0
  found: Found = 'nothing'
  /** Whose process began last: what is left behind is theirs. */
  lastTokenId: string | null = null
  /** What is not in a piece yet, by who pays it. */
  readonly #unbilledMs = new Map<string | null, number>()
  /** Whose processes run, in the order in which they began; the first one's owner pays. */
  readonly #running = new Map<string, string | null>()
  /** Starts that are under way. */
  #starting = 0
  /** Of the runtime, and of whatever else worked, while something was being started. */
  #startingMicros = 0
  #freeMs = 0
  #freeMicros = 0
  readonly #unattended = new UnattendedWork()
  /** Whether something was started since the last look. */
  #isUnseen = true
  #hasMoved = true
  #isEnding = false
  #countedTo: number
  #counterMicros: number
  readonly #totals: CpuTotals
  #markedMicros: number

  constructor(
    facts: MeteredFacts,
    gauges: Gauges,
    { windowStartMs, totals }: { windowStartMs: number; totals: CpuTotals },
  ) {
    this.facts = facts
    this.#gauges = gauges
    this.windowStartMs = windowStartMs
    this.#countedTo = gauges.elapsed()
    this.#counterMicros = this.#readCounter() ?? 0
    this.#totals = { usedMicros: totals.usedMicros, openMs: totals.openMs }
    this.#markedMicros = totals.usedMicros
  }

  /** Something that was started here runs: the time costs, whatever else works. */
  get isAttended(): boolean {
    return this.#running.size > 0
  }

  /** Something is being started: who looks for what was left behind would find the runtime. */
  get isStarting(): boolean {
    return this.#starting > 0
  }

  /** There may be something that was not started here. */
  get mayHideWork(): boolean {
    return !this.facts.always && (this.#isUnseen || this.found !== 'nothing')
  }

  /** It costs, as far as it is known. */
  get costs(): boolean {
    return this.facts.always || this.#running.size > 0 || this.found === 'programs' || this.found === 'working'
  }

  /** It costs, or is about to. */
  get spends(): boolean {
    return this.#starting > 0 || this.costs
  }

  /** It may cost as soon as somebody looks. */
  get maySpend(): boolean {
    return !this.spends && (this.#isUnseen || this.found === 'kernel')
  }

  /** Takes over what a server before this one did not charge. */
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
    // Also one that failed may have left something.
    this.#isUnseen = true
    if (this.#starting === 0) this.#settleStart()
  }

  began(processId: string, tokenId: string | null): void {
    this.count()
    this.#settleStart()
    if (this.#running.size === 0) this.#judge(this.found === 'programs' ? this.#freeMs : 0)
    this.#running.set(processId, tokenId)
    this.lastTokenId = tokenId
    this.#isUnseen = true
  }

  ended(processId: string): void {
    this.count()
    this.#running.delete(processId)
  }

  /** Whether anything at all happened there since the last look, so that a closer one is worth it. */
  hasChanged(): boolean {
    this.count()
    return this.#isUnseen || this.#hasMoved
  }

  /** Nothing happened there since the last look, or nobody can look: what was found is taken to be still there. */
  sawNoChange(): void {
    this.count()
    this.#settleStart()
    const costMs = this.#judge(this.found === 'programs' ? this.#freeMs : 0)
    if (this.found === 'working' && costMs === 0) this.found = 'kernel'
  }

  /** What a look found: for how long a program has run that was left behind, and whether there is a kernel. */
  saw(programsMs: number | undefined, hasKernel: boolean): void {
    this.#isUnseen = this.#hasMoved = false
    // What is there now may be a child of what was there before.
    const thereMs =
      programsMs === undefined ? 0 : this.found === 'programs' ? this.#freeMs : Math.min(this.#freeMs, programsMs)
    const costMs = this.#judge(thereMs)
    this.found = programsMs !== undefined ? 'programs' : !hasKernel ? 'nothing' : costMs > 0 ? 'working' : 'kernel'
  }

  /**
   * It is going to stop; nobody pays for the time in which its programs end. Called while its processor time can still
   * be told.
   */
  ending(): void {
    this.count()
    this.#settleStart()
    this.#judge(this.found === 'programs' ? this.#freeMs : 0)
    this.found = 'nothing'
    this.#isUnseen = false
    this.#isEnding = true
  }

  /** What was left behind in it was ended just now. */
  programsEnded(): void {
    this.count()
    this.#judge(this.found === 'programs' ? this.#freeMs : 0)
    this.found = 'nothing'
    this.#isUnseen = true
  }

  /** It did not stop after all. */
  goesOn(): void {
    this.count()
    this.#isEnding = false
    this.#isUnseen = true
  }

  /** Milliseconds that cost. */
  add(tokenId: string | null, ms: number): void {
    this.#unbilledMs.set(tokenId, (this.#unbilledMs.get(tokenId) ?? 0) + ms)
  }

  unbilledMs(): number {
    this.count()
    let sum = 0
    for (const ms of this.#unbilledMs.values()) sum += ms
    return sum
  }

  count(): void {
    const elapsed = this.#gauges.elapsed()
    const passedMs = elapsed - this.#countedTo
    this.#countedTo = elapsed
    const micros = this.#countMicros()
    this.#totals.openMs += passedMs
    const [payer = this.facts.always ? null : undefined] = this.#running.values()
    if (payer !== undefined) this.add(payer, passedMs)
    else if (!this.#isEnding) {
      this.#freeMs += passedMs
      if (this.#starting > 0) this.#startingMicros += micros
      else this.#freeMicros += micros
    }
  }

  /** Whole milliseconds up to now as pieces that follow on those before. */
  cut(): UsagePiece[] {
    this.count()
    // A mark that follows says that all work up to now is in pieces.
    if (!this.isAttended && !this.isStarting && !this.facts.always)
      this.#judge(this.found === 'programs' ? this.#freeMs : 0)
    const { computerId, accountId, label } = this.facts
    const startedAtMs = this.windowStartMs
    const whole = [...this.#unbilledMs].flatMap(([tokenId, ms]) =>
      ms >= 1 ? [{ tokenId, quantity: Math.floor(ms) }] : [],
    )
    const used = whole.reduce((sum, { quantity }) => sum + quantity, 0)
    const endedAtMs = Math.max(this.#gauges.now(), startedAtMs + used)
    // The rest of a millisecond is for the next piece.
    for (const { tokenId, quantity } of whole) this.add(tokenId, -quantity)
    this.windowStartMs = endedAtMs
    if (whole.length > 0) this.cutAtMs = this.#gauges.now()
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
   * What its processor time comes to, right after a cut; undefined when it need not be written down, as it has hardly
   * changed since it was the last time.
   */
  mark({ isDue, isRunning }: { isDue: boolean; isRunning: boolean }): CpuMark | undefined {
    if (this.facts.always) return undefined
    if (!isDue && this.#totals.usedMicros - this.#markedMicros < worthMarkingMicros) return undefined
    this.#markedMicros = this.#totals.usedMicros
    const { computerId, accountId, cpus } = this.facts
    const counterMicros = isRunning ? this.#counterMicros : 0
    return { computerId, accountId, cpus, counterMicros, ...this.#totals, atMs: this.#gauges.now() }
  }

  /** What the runtime itself needs for a start is nobody's work. */
  #settleStart(): void {
    const ofRuntime = Math.min(this.#startingMicros, startMicros)
    this.#freeMicros += this.#startingMicros - ofRuntime
    this.#totals.usedMicros -= ofRuntime
    this.#startingMicros = 0
  }

  #judge(thereMs: number): number {
    const costMs = Math.max(thereMs, this.#unattended.costMs(this.#freeMs, this.#freeMicros))
    // Time that is paid is not paid again by what was worked in it.
    if (thereMs > 0) this.#unattended.forget()
    this.#freeMs = this.#freeMicros = 0
    if (costMs > 0) this.add(this.lastTokenId, costMs)
    return costMs
  }

  #countMicros(): number {
    const counter = this.#readCounter()
    if (counter === undefined) return 0
    const micros = Math.max(0, counter - this.#counterMicros)
    this.#counterMicros = counter
    if (!this.#isEnding) this.#totals.usedMicros += micros
    if (micros > 0) this.#hasMoved = true
    return micros
  }

  #readCounter(): number | undefined {
    return this.facts.always ? undefined : this.#gauges.cpuMicros(this.facts.computerId)
  }
}

/** A start of the runtime takes 1 to 3 ms of a processor inside the computer. */
const startMicros = 5_000
const worthMarkingMicros = 250_000
