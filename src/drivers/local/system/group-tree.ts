import { closeSync, existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { mountDetached } from './detached-mount.ts'

let known: { directory: string | undefined } | undefined

/**
 * Where this program reaches the tree of version 2 control groups on a host with version 1: through a mount of its own that
 * stands nowhere, so that the runtime, which refuses to work beside such a tree, does not find it. undefined where the
 * kernel does not let it, or is older than 5.14 and cannot end a group at once (`cgroup.kill`).
 */
export function groupTree(): string | undefined {
  known ??= { directory: openTree() }
  return known.directory
}

function openTree(): string | undefined {
  try {
    const fd = mountDetached('cgroup2')
    const directory = `/proc/self/fd/${fd}`
    if (canEndGroups(directory)) return directory
    closeSync(fd)
  } catch {
    // No such file system, or no right to mount it.
  }
  return undefined
}

/** Only a group that is not the root of all has the file. */
function canEndGroups(tree: string): boolean {
  const trial = `${tree}/carrel-trial-${process.pid}`
  mkdirSync(trial)
  try {
    return existsSync(`${trial}/cgroup.kill`)
  } finally {
    rmdirSync(trial)
  }
}
