import type { UsagePiece } from './record-usage.ts'

/** Both in milliseconds: the time of day, and one that only ever goes forward, whatever is done to the clock. */
export interface Clock {
  now(): number
  elapsed(): number
}

export interface MeteredComputer {
  computerId: string
  accountId: string
  label: string | null
  /** True for one that costs while it runs; else it costs while a process runs in it. */
  always: boolean
}

/** How long nothing ran that was started here, and how long something did. */
export interface FreeTime {
  freeMs: number
  usedMs: number
}

/**
 * What was last seen in a computer beside what was started here: a `kernel` can begin something at any time, `programs` run. In one
 * with `nothing` there can be nothing before something is started again.
 */
export type Found = 'nothing' | 'kernel' | 'programs'

interface Metered extends MeteredComputer {
  /** Everything before it is in a piece already. */
  windowStartMs: number
  /** When something was put into a piece the last time; 0 before. */
  cutAtMs: number
  /** On the clock that only goes forward: counted up to here. */
  countedTo: number
  /** Whose processes run, in the order in which they began; the first one's owner pays. */
  readonly running: Map<string, string | null>
  /** Starts that are under way. */
  expected: number
  /** Whose process began last: what is left behind is his. */
  lastTokenId: string | null
  /** Since it was last asked. */
  freeMs: number
  usedMs: number
  /** By the last look. */
  found: Found
  /** Whether something was started since. */
  isUnseen: boolean
  /** What is not in a piece yet, by who pays it. */
  readonly counted: Map<string | null, number>
}

/**
 * Counts for how long computers are used, in memory: a process costs the database nothing. Whoever empties it, each
 * minute and when a computer stops, takes pieces of usage that follow each other without a gap or an overlap. Two processes at
 * once cost as much as one.
 */
export class ComputeMeter {
  readonly #clock: Clock
  readonly #computers = new Map<string, Metered>()
  readonly #byAccount = new Map<string, Set<Metered>>()
  readonly #pending = new Map<string, UsagePiece>()

  constructor(clock: Clock = { now: () => Date.now(), elapsed: () => performance.now() }) {
    this.#clock = clock
  }

  /** A computer runs from now on. `paidToMs` is up to when it was charged before. */
  open(computer: MeteredComputer, paidToMs = 0): void {
    if (this.#computers.has(computer.computerId)) return
    const metered: Metered = {
      ...computer,
      windowStartMs: Math.max(this.#clock.now(), paidToMs, this.#pendingToMs(computer.computerId)),
      cutAtMs: 0,
      countedTo: this.#clock.elapsed(),
      running: new Map(),
      expected: 0,
      lastTokenId: null,
      freeMs: 0,
      usedMs: 0,
      found: 'nothing',
      isUnseen: true,
      counted: new Map(),
    }
    this.#computers.set(computer.computerId, metered)
    this.#byAccount.set(computer.accountId, this.#of(computer.accountId).add(metered))
  }

  /**
   * Takes back a computer that a server before this one had: it is paid up to a time, and was used for so many
   * milliseconds since, last by that token.
   */
  resume(
    computer: MeteredComputer,
    paidToMs: number,
    used: { tokenId: string | null; ms: number }[],
    lastTokenId: string | null = null,
  ): void {
    this.open(computer)
    const metered = this.#computers.get(computer.computerId)!
    metered.windowStartMs = paidToMs
    metered.lastTokenId = lastTokenId
    for (const { tokenId, ms } of used) add(metered.counted, tokenId, ms)
  }

  /** Something is going to begin, until the returned function is called; nobody looks for what was left behind meanwhile. */
  expect(computerId: string): () => void {
    const metered = this.#computers.get(computerId)
    if (!metered) return () => {}
    metered.expected++
    return () => {
      metered.expected--
    }
  }

  began(computerId: string, processId: string, tokenId: string | null): void {
    const metered = this.#counted(computerId)
    if (!metered) return
    metered.running.set(processId, tokenId)
    metered.lastTokenId = tokenId
    metered.isUnseen = true
  }

  ended(computerId: string, processId: string): void {
    this.#counted(computerId)?.running.delete(processId)
  }

  /** Computers that cost by what runs in them, in which nothing does that was started here, and something else may. */
  unseenComputers(): { computerId: string; accountId: string }[] {
    return [...this.#computers.values()].filter(
      ({ always, running, found, isUnseen }) => !always && running.size === 0 && (isUnseen || found !== 'nothing'),
    )
  }

  /** What was since this was last asked, for a look that is made now; undefined for one in which something runs or begins. */
  takeFree(computerId: string): FreeTime | undefined {
    const metered = this.#counted(computerId)
    if (!metered || metered.running.size > 0 || metered.expected > 0) return undefined
    const { freeMs, usedMs } = metered
    metered.freeMs = metered.usedMs = 0
    metered.isUnseen = false
    return { freeMs, usedMs }
  }

  /** Computers in which what a token left behind runs alone. */
  leftBehindBy(accountId: string, tokenId: string): string[] {
    return [...this.#of(accountId)]
      .filter(
        ({ running, found, lastTokenId }) => lastTokenId === tokenId && found === 'programs' && running.size === 0,
      )
      .map(({ computerId }) => computerId)
  }

  found(computerId: string): Found {
    return this.#computers.get(computerId)?.found ?? 'nothing'
  }

  /** What that look found. */
  saw(computerId: string, found: Found): void {
    const metered = this.#computers.get(computerId)
    if (metered) metered.found = found
  }

  /** Something ran that was not started here: it is paid as what began last was. */
  add(computerId: string, ms: number): void {
    const metered = this.#computers.get(computerId)
    if (metered) add(metered.counted, metered.lastTokenId, ms)
  }

  /** A computer does not run any more. */
  close(computerId: string): void {
    const metered = this.#counted(computerId)
    if (!metered) return
    this.#cut(metered)
    this.#forget(metered)
  }

  /** A computer does not run any more, since when nobody knows: what cost by its running alone is let go. */
  lose(computerId: string): void {
    const metered = this.#computers.get(computerId)
    if (metered?.always) this.#forget(metered)
    else this.close(computerId)
  }

  /** Puts what was used up to now into pieces: of all computers, or of one account's that were not cut for so long. */
  cut(only?: { accountId: string; notForMs: number }): void {
    for (const [id, { accountId, cutAtMs }] of this.#computers) {
      const isDue = !only || (accountId === only.accountId && this.#clock.now() - cutAtMs >= only.notForMs)
      if (isDue) this.#cut(this.#counted(id)!)
    }
  }

  /** Pieces that are not recorded yet. */
  get pending(): UsagePiece[] {
    return [...this.#pending.values()]
  }

  recorded(pieces: readonly UsagePiece[]): void {
    for (const { id } of pieces) this.#pending.delete(id)
  }

  /** Whole milliseconds of an account that are not recorded yet. */
  unrecordedMs(accountId: string): number {
    let total = 0
    for (const piece of this.#pending.values()) if (piece.accountId === accountId) total += piece.quantity
    for (const metered of this.#of(accountId)) {
      this.#counted(metered.computerId)
      for (const ms of metered.counted.values()) total += ms
    }
    return Math.floor(total)
  }

  /** How many computers of an account cost or begin to, and in how many others something may run that no look has found yet. */
  spending(accountId: string): { certain: number; possible: number } {
    const computers = [...this.#of(accountId)]
    return { certain: computers.filter(spends).length, possible: computers.filter(maySpend).length }
  }

  isSpending(computerId: string): boolean {
    const metered = this.#computers.get(computerId)
    return metered !== undefined && spends(metered)
  }

  /** Accounts with any of either. */
  spenders(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some((metered) => spends(metered) || maySpend(metered)) ? [accountId] : [],
    )
  }

  /** For whom something runs that costs, as far as it is known. */
  activeAccounts(): string[] {
    const active = new Set<string>()
    for (const metered of this.#computers.values()) if (costs(metered)) active.add(metered.accountId)
    return [...active]
  }

  #of(accountId: string): Set<Metered> {
    return this.#byAccount.get(accountId) ?? new Set()
  }

  #forget(metered: Metered): void {
    this.#computers.delete(metered.computerId)
    const others = this.#of(metered.accountId)
    others.delete(metered)
    if (others.size === 0) this.#byAccount.delete(metered.accountId)
  }

  #counted(computerId: string): Metered | undefined {
    const metered = this.#computers.get(computerId)
    if (!metered) return undefined
    const elapsed = this.#clock.elapsed()
    const [payer = metered.always ? null : undefined] = metered.running.values()
    if (payer === undefined) metered.freeMs += elapsed - metered.countedTo
    else {
      add(metered.counted, payer, elapsed - metered.countedTo)
      metered.usedMs += elapsed - metered.countedTo
    }
    metered.countedTo = elapsed
    return metered
  }

  #cut(metered: Metered): void {
    const { computerId, accountId, label, windowStartMs, counted } = metered
    const whole = [...counted].flatMap(([tokenId, ms]) => (ms >= 1 ? [{ tokenId, quantity: Math.floor(ms) }] : []))
    const used = whole.reduce((sum, { quantity }) => sum + quantity, 0)
    const endedAtMs = Math.max(this.#clock.now(), windowStartMs + used)
    for (const { tokenId, quantity } of whole) {
      // The rest of a millisecond is for the next piece.
      counted.set(tokenId, counted.get(tokenId)! - quantity)
      const id = `usage:${computerId}:compute:${windowStartMs}${tokenId === null ? '' : `:${tokenId}`}`
      this.#pending.set(id, {
        id,
        accountId,
        computerId,
        meter: 'compute',
        startedAtMs: windowStartMs,
        endedAtMs,
        quantity,
        tokenId,
        label,
      })
    }
    metered.windowStartMs = endedAtMs
    if (whole.length > 0) metered.cutAtMs = this.#clock.now()
  }

  #pendingToMs(computerId: string): number {
    return Math.max(
      0,
      ...this.pending.filter((piece) => piece.computerId === computerId).map(({ endedAtMs }) => endedAtMs),
    )
  }
}

function costs({ always, running, found }: Metered): boolean {
  return always || running.size > 0 || found === 'programs'
}

function spends(metered: Metered): boolean {
  return metered.expected > 0 || costs(metered)
}

function maySpend(metered: Metered): boolean {
  return !spends(metered) && (metered.isUnseen || metered.found === 'kernel')
}

function add<K>(sums: Map<K, number>, key: K, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}
