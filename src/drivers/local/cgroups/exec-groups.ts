import { mkdirSync } from 'node:fs'
import { endGroup } from '../monitor/exec-group.ts'
import { groupTree } from '../system/group-tree.ts'
import { directories, removeTree } from './group-files.ts'

/**
 * A version 2 tree besides the groups of version 1, in which each computer has a group, and each of its execs a group
 * below that. The tree has no controllers, which are in version 1: it serves to find and to end the descendants of an
 * exec.
 */
export class ExecGroups {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /** Returns undefined on a host without such a tree. */
  static open(): ExecGroups | undefined {
    const root = groupTree()
    return root === undefined ? undefined : new ExecGroups(root)
  }

  create(computerPath: string): void {
    mkdirSync(this.#root + computerPath, { recursive: true })
  }

  /** Kills the processes of a group and removes it. */
  async remove(computerPath: string): Promise<void> {
    await endGroup(this.#root + computerPath)
    await removeTree(this.#root + computerPath)
  }

  list(parentPath: string): string[] {
    return directories(this.#root + parentPath)
  }
}
