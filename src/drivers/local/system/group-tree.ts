import { closeSync, existsSync, mkdirSync, rmdirSync, readFileSync } from 'node:fs'
import { mountDetached } from './detached-mount.ts'

let known: { directory: string | undefined } | undefined

/**
 * Returns the path of the version 2 control group tree on a host with version 1. The path leads through a private mount
 * without a mount point, so that the runtime, which refuses to work next to such a tree, does not find it. undefined
 * where the kernel does not allow that, or is older than 5.14 and cannot kill a group at once (`cgroup.kill`).
 */
export function groupTree(): string | undefined {
  known ??= { directory: openTree() }
  return known.directory
}

/**
 * Makes the kernel move processes between control groups without delay (`favordynmods`, from Linux 6.0 on). Otherwise
 * it waits at each move until every processor has passed through a quiescent state, 14 ms on an idle host, and blocks
 * all forks of the host meanwhile; and the runtime moves each process that it starts.
 */
export function favorMoves(): void {
  try {
    closeSync(mountTree())
  } catch {
    // The host stays as it is.
  }
}

function openTree(): string | undefined {
  try {
    const fd = mountTree()
    const directory = `/proc/self/fd/${fd}`
    if (canEndGroups(directory)) return directory
    closeSync(fd)
  } catch {
    // The kernel does not have this file system or does not permit the mount.
  }
  return undefined
}

/** All mounts of the tree share their options, so the host's own options are repeated. */
function mountTree(): number {
  const options = Object.fromEntries(hostOptions().map((name) => [name, true as const]))
  try {
    return mountDetached('cgroup2', { ...options, favordynmods: true })
  } catch {
    return mountDetached('cgroup2', options)
  }
}

/** Returns the options that the host's first program sees, as the tree may be hidden from this one. */
function hostOptions(): string[] {
  const mounts = readFileSync('/proc/1/mountinfo', 'latin1')
  const [, options = ''] = / - cgroup2 \S+ (\S+)$/m.exec(mounts) ?? []
  return options.split(',').filter((name) => ownOptions.has(name))
}

const ownOptions = new Set([
  'nsdelegate',
  'favordynmods',
  'memory_localevents',
  'memory_recursiveprot',
  'memory_hugetlb_accounting',
  'pids_localevents',
])

/** Creates a group for the test: only a group below the root has the file. */
function canEndGroups(tree: string): boolean {
  const trial = `${tree}/carrel-trial-${process.pid}`
  mkdirSync(trial)
  try {
    return existsSync(`${trial}/cgroup.kill`)
  } finally {
    rmdirSync(trial)
  }
}
