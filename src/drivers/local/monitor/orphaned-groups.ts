import type { ExecGroup } from './exec-group.ts'

/**
 * Removes the groups of ended execs: at once, or when the last process that outlived the exec has ended. Each remaining
 * group holds a process, so a computer has at most as many groups as it may have processes.
 */
export class OrphanedGroups {
  readonly #waiting: ExecGroup[] = []

  add(group: ExecGroup): void {
    if (!group.remove()) this.#waiting.push(group)
    this.sweep(sweptPerExec)
  }

  /** Tries to remove the oldest `count` groups. Those that stay go to the end of the queue. */
  sweep(count: number = this.#waiting.length): void {
    for (let left = Math.min(count, this.#waiting.length); left > 0; left--) {
      const group = this.#waiting.shift()!
      if (!group.remove()) this.#waiting.push(group)
    }
  }
}

/** More than the one group that an exec leaves, so that the queue shrinks whatever is run. */
const sweptPerExec = 2
