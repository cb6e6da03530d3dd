import type { UsageInterval } from './record-usage.ts'
import {
  MeteredComputer,
  type CpuSnapshot,
  type CpuTotals,
  type UnattendedState,
  type MeterSources,
  type MeteredFacts,
  type Uncharged,
} from './metered-computer.ts'

/** Until when a computer is charged, and its processor time so far. */
export interface Charged {
  paidToMs: number
  totals: CpuTotals
}

/**
 * Meters in memory for how long computers are used: a process costs the database nothing. Each minute, and when a
 * computer stops, the usage is cut into intervals that follow each other without gaps or overlaps. Two processes at the
 * same time cost as much as one, and so does anything else that works in the same computer.
 */
export class ComputeMeter {
  readonly #sources: MeterSources
  readonly #computers = new Map<string, MeteredComputer>()
  readonly #byAccount = new Map<string, Set<MeteredComputer>>()
  readonly #pending = new Map<string, UsageInterval>()
  /** Snapshots of the last cut of each computer, until they are recorded with its intervals. */
  readonly #snapshots = new Map<string, CpuSnapshot>()

  constructor(sources: MeterSources = { ...clock, cpuMicros: () => undefined }) {
    this.#sources = sources
  }

  /** Starts metering a computer, which runs from now on. */
  open(facts: MeteredFacts, charged: Charged = { paidToMs: 0, totals: { usedMicros: 0, openMs: 0 } }): void {
    const windowStartMs = Math.max(this.#sources.now(), charged.paidToMs, this.#pendingToMs(facts.computerId))
    this.#open(facts, { windowStartMs, totals: this.#snapshots.get(facts.computerId) ?? charged.totals })
  }

  /** Continues to meter a computer of the previous server, with what that one did not charge. */
  resume(facts: MeteredFacts, { paidToMs, totals }: Charged, uncharged: Uncharged): void {
    this.#open(facts, { windowStartMs: paidToMs, totals })
    this.#computers.get(facts.computerId)!.takeOver(uncharged)
  }

  /** A start in a computer is under way until the returned function is called; orphans are not searched meanwhile. */
  beginStart(computerId: string): () => void {
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

  /** Returns the computers in which only work that was not started here is possible: of all accounts, or of one. */
  unattended(accountId?: string): MeteredComputer[] {
    const computers = accountId === undefined ? this.#computers.values() : this.#of(accountId)
    return [...computers].filter(({ mayHideWork, isAttended }) => mayHideWork && !isAttended)
  }

  /** Returns the computers in which only orphans of a token work, as of the last check. */
  orphanedBy(accountId: string, tokenId: string): string[] {
    return [...this.#of(accountId)].flatMap((computer) =>
      computer.lastTokenId === tokenId && worksAlone(computer) ? [computer.facts.computerId] : [],
    )
  }

  /** Returns the accounts in whose computers orphans work alone, as of the last check. */
  accountsWithOrphans(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some(worksAlone) ? [accountId] : [],
    )
  }

  /**
   * Returns whether no process runs in a computer that was started here, so that any other work there belongs to the
   * token.
   */
  hasOnlyOrphansOf(computerId: string, tokenId: string): boolean {
    const computer = this.#computers.get(computerId)
    return computer !== undefined && !computer.isAttended && computer.lastTokenId === tokenId
  }

  unattendedState(computerId: string): UnattendedState {
    return this.#computers.get(computerId)?.unattendedState ?? 'nothing'
  }

  /** A computer's orphans were ended now. */
  programsEnded(computerId: string): void {
    this.#computers.get(computerId)?.programsEnded()
  }

  /** A computer is about to stop. */
  stopping(computerId: string): void {
    this.#computers.get(computerId)?.stopping()
  }

  /** A computer did not stop after all. */
  stopFailed(computerId: string): void {
    this.#computers.get(computerId)?.stopFailed()
  }

  /** Stops metering a computer, which does not run any more. */
  close(computerId: string): void {
    const computer = this.#computers.get(computerId)
    if (!computer) return
    computer.stopping()
    this.#cut(computer, { isRunning: false })
    this.#forget(computer)
  }

  /**
   * Stops metering a computer that does not run any more, at an unknown time since: what it cost by running alone is
   * dropped.
   */
  closeLost(computerId: string): void {
    const computer = this.#computers.get(computerId)
    if (computer?.facts.costsWhileRunning) this.#forget(computer)
    else this.close(computerId)
  }

  /**
   * Cuts the usage up to now into intervals: of all computers, or of an account's computers whose last cut is
   * `notForMs` ago.
   */
  cut(only?: { accountId: string; notForMs: number }): void {
    for (const computer of only ? this.#of(only.accountId) : this.#computers.values())
      if (!only || this.#sources.now() - computer.cutAtMs >= only.notForMs) this.#cut(computer)
  }

  /** Intervals that are cut and not recorded yet. */
  get pending(): UsageInterval[] {
    return [...this.#pending.values()]
  }

  /** Snapshots of processor time that belong to these intervals. */
  get snapshots(): CpuSnapshot[] {
    return [...this.#snapshots.values()]
  }

  /** Forgets intervals and snapshots that are recorded now. */
  recorded(intervals: readonly UsageInterval[], snapshots: readonly CpuSnapshot[] = []): void {
    for (const { id } of intervals) this.#pending.delete(id)
    for (const snapshot of snapshots)
      if (this.#snapshots.get(snapshot.computerId) === snapshot) this.#snapshots.delete(snapshot.computerId)
  }

  /** Returns an account's whole milliseconds that are not recorded yet. */
  unrecordedMs(accountId: string): number {
    let total = 0
    for (const interval of this.#pending.values()) if (interval.accountId === accountId) total += interval.quantity
    for (const computer of this.#of(accountId)) total += computer.unbilledMs()
    return Math.floor(total)
  }

  /** Counts an account's computers that cost or are about to, and the others in which a check could find work. */
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

  /** Returns the accounts that `spending` counts any computers of. */
  spendingAccounts(): string[] {
    return [...this.#byAccount].flatMap(([accountId, computers]) =>
      [...computers].some(({ spends, maySpend }) => spends || maySpend) ? [accountId] : [],
    )
  }

  /** Returns the accounts with computers that cost, as far as is known. */
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
    const computer = new MeteredComputer(facts, this.#sources, start)
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
    const intervals = computer.cut()
    for (const interval of intervals) this.#pending.set(interval.id, interval)
    const snapshot = computer.snapshot({ isDue: intervals.length > 0 || !isRunning, isRunning })
    if (snapshot) this.#snapshots.set(snapshot.computerId, snapshot)
  }

  #pendingToMs(computerId: string): number {
    return Math.max(
      0,
      ...this.pending.filter((interval) => interval.computerId === computerId).map(({ endedAtMs }) => endedAtMs),
    )
  }
}

function worksAlone({ unattendedState, isAttended }: MeteredComputer): boolean {
  return (unattendedState === 'programs' || unattendedState === 'working') && !isAttended
}

/** The time of day and a monotonic clock, both in milliseconds. */
export const clock = { now: () => Date.now(), elapsed: () => performance.now() }
