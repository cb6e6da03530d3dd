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

export interface FreeTime {
  computerId: string
  accountId: string
  /** For how long nothing ran that was started here. */
  freeMs: number
  /** Whether something did, in the rest of the time. */
  wasUsed: boolean
  /** Whether something does in this moment. */
  isUsed: boolean
}

interface Metered extends MeteredComputer {
  /** Everything before it is in a piece already. */
  windowStartMs: number
  /** On the clock that only goes forward: counted up to here. */
  countedTo: number
  /** Whose processes run, in the order in which they began; the first one's owner pays. */
  readonly running: Map<string, string | null>
  /** In which nothing ran that was started here, since it was last asked. */
  freeMs: number
  /** Whether something else did, since then. */
  wasUsed: boolean
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
  readonly #pending = new Map<string, UsagePiece>()

  constructor(clock: Clock = { now: () => Date.now(), elapsed: () => performance.now() }) {
    this.#clock = clock
  }

  /** A computer runs from now on. `paidToMs` is up to when it was charged before. */
  open(computer: MeteredComputer, paidToMs = 0): void {
    if (this.#computers.has(computer.computerId)) return
    this.#computers.set(computer.computerId, {
      ...computer,
      windowStartMs: Math.max(this.#clock.now(), paidToMs, this.#pendingToMs(computer.computerId)),
      countedTo: this.#clock.elapsed(),
      running: new Map(),
      freeMs: 0,
      wasUsed: false,
      counted: new Map(),
    })
  }

  /**
   * Takes back a computer that a server before this one had: it is paid up to a time, and was used for so many
   * milliseconds since.
   */
  resume(computer: MeteredComputer, paidToMs: number, used: { tokenId: string | null; ms: number }[]): void {
    this.open(computer)
    const metered = this.#computers.get(computer.computerId)!
    metered.windowStartMs = paidToMs
    for (const { tokenId, ms } of used) add(metered.counted, tokenId, ms)
  }

  began(computerId: string, processId: string, tokenId: string | null): void {
    const metered = this.#counted(computerId)
    metered?.running.set(processId, tokenId)
  }

  ended(computerId: string, processId: string): void {
    this.#counted(computerId)?.running.delete(processId)
  }

  /** Of the computers that cost by what runs in them: what was since this was last asked. */
  takeFree(): FreeTime[] {
    const found: FreeTime[] = []
    for (const [computerId, { always, accountId }] of this.#computers) {
      if (always) continue
      const metered = this.#counted(computerId)!
      const { freeMs, wasUsed } = metered
      found.push({ computerId, accountId, freeMs, wasUsed, isUsed: metered.running.size > 0 })
      metered.freeMs = 0
      metered.wasUsed = false
    }
    return found
  }

  /** Something ran that was not started here: the account pays. */
  add(computerId: string, ms: number): void {
    const metered = this.#computers.get(computerId)
    if (metered) add(metered.counted, null, ms)
  }

  /** A computer does not run any more. */
  close(computerId: string): void {
    const metered = this.#counted(computerId)
    if (!metered) return
    this.#cut(metered)
    this.#computers.delete(computerId)
  }

  /** A computer does not run any more, since when nobody knows: what cost by its running alone is let go. */
  lose(computerId: string): void {
    const metered = this.#computers.get(computerId)
    if (metered?.always) this.#computers.delete(computerId)
    else this.close(computerId)
  }

  /** Puts what was used up to now into pieces: of all computers, or of one account's that were not cut for so long. */
  cut(only?: { accountId: string; notForMs: number }): void {
    for (const [id, { accountId, windowStartMs }] of this.#computers) {
      const isDue = !only || (accountId === only.accountId && this.#clock.now() - windowStartMs >= only.notForMs)
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
    for (const [id, metered] of this.#computers) {
      if (metered.accountId !== accountId) continue
      this.#counted(id)
      for (const ms of metered.counted.values()) total += ms
    }
    return Math.floor(total)
  }

  /** For whom something runs that costs. */
  activeAccounts(): string[] {
    const active = new Set<string>()
    for (const { accountId, always, running } of this.#computers.values())
      if (always || running.size > 0) active.add(accountId)
    return [...active]
  }

  #counted(computerId: string): Metered | undefined {
    const metered = this.#computers.get(computerId)
    if (!metered) return undefined
    const elapsed = this.#clock.elapsed()
    const [payer = metered.always ? null : undefined] = metered.running.values()
    if (payer === undefined) metered.freeMs += elapsed - metered.countedTo
    else {
      add(metered.counted, payer, elapsed - metered.countedTo)
      metered.wasUsed = true
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
  }

  #pendingToMs(computerId: string): number {
    return Math.max(
      0,
      ...this.pending.filter((piece) => piece.computerId === computerId).map(({ endedAtMs }) => endedAtMs),
    )
  }
}

function add<K>(sums: Map<K, number>, key: K, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}
