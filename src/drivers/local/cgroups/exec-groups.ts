import { mkdirSync } from 'node:fs'
import { endGroup } from '../monitor/exec-group.ts'
import { groupTree } from '../system/group-tree.ts'
import { directories, removeTree } from './group-files.ts'

/**
 * A tree of version 2 beside the groups of version 1, in which each computer has a group, and each of its execs one below
 * that. It has no controllers, which are in version 1: what it is for is to know, and to end, what came of an exec.
 */
export class ExecGroups {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /** undefined where this host has no such tree. */
  static open(): ExecGroups | undefined {
    const root = groupTree()
    return root === undefined ? undefined : new ExecGroups(root)
  }

  make(computerPath: string): void {
    mkdirSync(this.#root + computerPath, { recursive: true })
  }

  /** Ends what is in it, and removes it. */
  async remove(computerPath: string): Promise<void> {
    await endGroup(this.#root + computerPath)
    await removeTree(this.#root + computerPath)
  }

  list(parentPath: string): string[] {
    return directories(this.#root + parentPath)
  }
}
