import type { ExecGroup } from './exec-group.ts'

/**
 * Removes the groups of execs that ended: at once, or when the last process that outlived one has ended. One that is
 * not empty holds a process, so a computer has no more of them than it may have processes.
 */
export class OrphanedGroups {
  readonly #waiting: ExecGroup[] = []

  take(group: ExecGroup): void {
    if (!group.remove()) this.#waiting.push(group)
    this.sweep(sweptPerExec)
  }

  /** Tries the oldest again, in turn. */
  sweep(count: number = this.#waiting.length): void {
    for (let left = Math.min(count, this.#waiting.length); left > 0; left--) {
      const group = this.#waiting.shift()!
      if (!group.remove()) this.#waiting.push(group)
    }
  }
}

/** More than one exec leaves, so that the line gets shorter whatever is run. */
const sweptPerExec = 2
