import type { UsagePiece } from './record-usage.ts'
import {
  MeteredComputer,
  type CpuMark,
  type CpuTotals,
  type Found,
  type Gauges,
  type MeteredFacts,
  type Uncharged,
} from './metered-computer.ts'

/** Up to when a computer is charged, and what is recorded of it beside that. */
export interface Charged {
  paidToMs: number
  totals: CpuTotals
}

/**
 * Counts for how long computers are used, in memory: a process costs the database nothing. Whoever empties it, each
 * minute and when a computer stops, takes pieces of usage that follow each other without a gap or an overlap. Two
 * processes at once cost as much as one, and so does whatever else works in the same computer.
 */
export class ComputeMeter {
  readonly #gauges: Gauges
  readonly #computers = new Map<string, MeteredComputer>()
  readonly #byAccount = new Map<string, Set<MeteredComputer>>()
  readonly #pending = new Map<string, UsagePiece>()
  /** As of the last cut of each computer, until they are recorded with the pieces up to then. */
  readonly #marks = new Map<string, CpuMark>()

  constructor(gauges: Gauges = { ...clock, cpuMicros: () => undefined }) {
    this.#gauges = gauges
  }

  /** A computer runs from now on. */
  open(facts: MeteredFacts, charged: Charged = { paidToMs: 0, totals: { usedMicros: 0, openMs: 0 } }): void {
    const windowStartMs = Math.max(this.#gauges.now(), charged.paidToMs, this.#pendingToMs(facts.computerId))
    this.#open(facts, { windowStartMs, totals: this.#marks.get(facts.computerId) ?? charged.totals })
  }

  /** Takes back a computer that a server before this one had, with what that one did not charge. */
  resume(facts: MeteredFacts, { paidToMs, totals }: Charged, uncharged: Uncharged): void {
    this.#open(facts, { windowStartMs: paidToMs, totals })
    this.#computers.get(facts.computerId)!.takeOver(uncharged)
  }

  /**
   * Something is going to begin, until the returned function is called; nobody looks for what was left behind
   * meanwhile.
   */
  expect(computerId: string): () => void {
    const computer = this.#computers.get(computerId)
    if (!computer) return () => {}
    computer.beginStart()
    return () => computer.endStart()
  }

  began(computerId: string, processId: string, tokenId: string | null): void {
    this.#computers.get(computerId)?.began(processId, tokenId)
  }

  ended(computerId: string, processId: string): void {
    this.#computers.get(computerId)?.ended(processId)
  }

  /**
   * Computers in which something may work that was not started here, and nothing does that was: of all accounts, or of
   * one.
   */
  unattended(accountId?: string): MeteredComputer[] {
    const computers = accountId === undefined ? this.#computers.values() : this.#of(accountId)
    return [...computers].filter(({ mayHideWork, isAttended }) => mayHideWork && !isAttended)
  }

  /** Computers in which what a token left behind works alone, as of the last look. */
  orphanedBy(accountId: string, tokenId: string): string[] {
    return [...this.#of(accountId)].flatMap((computer) =>
      computer.lastTokenId === tokenId && worksAlone(computer) ? [computer.facts.computerId] : [],
    )
  }

  /** Accounts in whose computers something works that was not started here, as of the last look. */
  leavers(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some(worksAlone) ? [accountId] : [],
    )
  }

  /** Nothing runs in a computer that was started here, and what else works there is that token's. */
  isLeftTo(computerId: string, tokenId: string): boolean {
    const computer = this.#computers.get(computerId)
    return computer !== undefined && !computer.isAttended && computer.lastTokenId === tokenId
  }

  found(computerId: string): Found {
    return this.#computers.get(computerId)?.found ?? 'nothing'
  }

  /** What was left behind in it was ended just now. */
  programsEnded(computerId: string): void {
    this.#computers.get(computerId)?.programsEnded()
  }

  /** It is going to stop. */
  ending(computerId: string): void {
    this.#computers.get(computerId)?.ending()
  }

  /** It did not stop after all. */
  goesOn(computerId: string): void {
    this.#computers.get(computerId)?.goesOn()
  }

  /** A computer does not run any more. */
  close(computerId: string): void {
    const computer = this.#computers.get(computerId)
    if (!computer) return
    computer.ending()
    this.#cut(computer, { isRunning: false })
    this.#forget(computer)
  }

  /** A computer does not run any more, since when nobody knows: what cost by its running alone is let go. */
  lose(computerId: string): void {
    const computer = this.#computers.get(computerId)
    if (computer?.facts.always) this.#forget(computer)
    else this.close(computerId)
  }

  /** Puts what was used up to now into pieces: of all computers, or of one account's that were not cut for so long. */
  cut(only?: { accountId: string; notForMs: number }): void {
    for (const computer of only ? this.#of(only.accountId) : this.#computers.values())
      if (!only || this.#gauges.now() - computer.cutAtMs >= only.notForMs) this.#cut(computer)
  }

  /** Pieces that are not recorded yet. */
  get pending(): UsagePiece[] {
    return [...this.#pending.values()]
  }

  /** What is known of processor time by these pieces. */
  get marks(): CpuMark[] {
    return [...this.#marks.values()]
  }

  recorded(pieces: readonly UsagePiece[], marks: readonly CpuMark[] = []): void {
    for (const { id } of pieces) this.#pending.delete(id)
    for (const mark of marks) if (this.#marks.get(mark.computerId) === mark) this.#marks.delete(mark.computerId)
  }

  /** Whole milliseconds of an account that are not recorded yet. */
  unrecordedMs(accountId: string): number {
    let total = 0
    for (const piece of this.#pending.values()) if (piece.accountId === accountId) total += piece.quantity
    for (const computer of this.#of(accountId)) total += computer.unbilledMs()
    return Math.floor(total)
  }

  /**
   * How many computers of an account cost or begin to, and in how many others something may work that no look has found
   * yet.
   */
  spending(accountId: string): { certain: number; possible: number } {
    const computers = [...this.#of(accountId)]
    return {
      certain: computers.filter(({ spends }) => spends).length,
      possible: computers.filter(({ maySpend }) => maySpend).length,
    }
  }

  isSpending(computerId: string): boolean {
    return this.#computers.get(computerId)?.spends ?? false
  }

  /** Accounts with any of either. */
  spenders(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some(({ spends, maySpend }) => spends || maySpend) ? [accountId] : [],
    )
  }

  /** For whom something works that costs, as far as it is known. */
  activeAccounts(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some(({ costs }) => costs) ? [accountId] : [],
    )
  }

  #of(accountId: string): Set<MeteredComputer> {
    return this.#byAccount.get(accountId) ?? new Set()
  }

  #open(facts: MeteredFacts, start: { windowStartMs: number; totals: CpuTotals }): void {
    if (this.#computers.has(facts.computerId)) return
    const computer = new MeteredComputer(facts, this.#gauges, start)
    this.#computers.set(facts.computerId, computer)
    this.#byAccount.set(facts.accountId, this.#of(facts.accountId).add(computer))
  }

  #forget(computer: MeteredComputer): void {
    const { computerId, accountId } = computer.facts
    this.#computers.delete(computerId)
    const others = this.#of(accountId)
    others.delete(computer)
    if (others.size === 0) this.#byAccount.delete(accountId)
  }

  #cut(computer: MeteredComputer, { isRunning } = { isRunning: true }): void {
    const pieces = computer.cut()
    for (const piece of pieces) this.#pending.set(piece.id, piece)
    const mark = computer.mark({ isDue: pieces.length > 0 || !isRunning, isRunning })
    if (mark) this.#marks.set(mark.computerId, mark)
  }

  #pendingToMs(computerId: string): number {
    return Math.max(
      0,
      ...this.pending.filter((piece) => piece.computerId === computerId).map(({ endedAtMs }) => endedAtMs),
    )
  }
}

function worksAlone({ found, isAttended }: MeteredComputer): boolean {
  return (found === 'programs' || found === 'working') && !isAttended
}

/** Both in milliseconds: the time of day, and one that only ever goes forward. */
export const clock = { now: () => Date.now(), elapsed: () => performance.now() }
