import { CarrelError } from '../../../errors.ts'
import type { ComputerPage, ExistingComputer, PageOptions } from '../../driver.ts'
import { toPage } from '../../pages.ts'
import type { RunningComputer } from '../lxcfs/lxcfs.ts'
import type { ComputerStore } from './computer-store.ts'

/** Which computers run, which of those are paused, and which exits are expected. */
export class ComputerStates {
  readonly #store: ComputerStore
  /** Host process id of the first process, by computer. */
  readonly #running = new Map<string, number>()
  readonly #paused = new Set<string>()
  readonly #expectedExits = new Map<string, () => void>()
  /** Stopped computers that may still have a container, control groups or a slot. */
  readonly unclearedIds = new Set<string>()

  constructor(store: ComputerStore) {
    this.#store = store
  }

  setRunning(id: string, pid: number): void {
    this.#running.set(id, pid)
  }

  setStopped(id: string): void {
    this.#running.delete(id)
    this.#paused.delete(id)
  }

  setPaused(id: string, paused: boolean): void {
    if (paused) this.#paused.add(id)
    else this.#paused.delete(id)
  }

  isRunning(id: string): boolean {
    return this.#running.has(id)
  }

  isPaused(id: string): boolean {
    return this.#paused.has(id)
  }

  /** Returns the host process id of the first process; undefined when the computer is not running. */
  pid(id: string): number | undefined {
    return this.#running.get(id)
  }

  running(): RunningComputer[] {
    return [...this.#running].map(([id, pid]) => ({ id, pid }))
  }

  get(id: string): ExistingComputer | undefined {
    return this.#store.get(id) && this.#describe(id)
  }

  list({ limit, after }: PageOptions): ComputerPage {
    const { ids, ...rest } = toPage(this.#store.idsAfter(after, limit + 1), limit)
    return { computers: ids.map((id) => this.#describe(id)), ...rest }
  }

  #describe(id: string): ExistingComputer {
    return { id, running: this.isRunning(id), paused: this.isPaused(id) }
  }

  /**
   * Returns the host process id of the first process. Throws `conflict` when the computer is stopped; it may be paused.
   */
  requireStarted(id: string): number {
    this.#store.require(id)
    const pid = this.#running.get(id)
    if (pid === undefined)
      throw new CarrelError('conflict', `Cannot use computer "${id}": it is stopped`, { details: { state: 'stopped' } })
    return pid
  }

  /** Returns the host process id of the first process. Throws `conflict` when the computer is stopped or paused. */
  requireRunning(id: string): number {
    const pid = this.requireStarted(id)
    if (this.#paused.has(id))
      throw new CarrelError('conflict', `Cannot use computer "${id}": it is paused`, { details: { state: 'paused' } })
    return pid
  }

  /** Expects the exit of the first process until `stopExpectingExit`; the promise resolves at the exit. */
  expectExit(id: string): Promise<void> {
    return new Promise((resolve) => this.#expectedExits.set(id, resolve))
  }

  stopExpectingExit(id: string): void {
    this.#expectedExits.delete(id)
  }

  /** Records the exit of the first process. Returns whether it was expected. */
  exited(id: string): boolean {
    this.setStopped(id)
    const expected = this.#expectedExits.get(id)
    expected?.()
    return expected !== undefined
  }
}
