import { closeSync, existsSync, mkdirSync, rmdirSync, readFileSync } from 'node:fs'
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

/**
 * Has the kernel move processes between control groups at once (`favordynmods`, from Linux 6.0 on). By itself it waits, when one
 * has to be moved, until every processor has come to rest, 14 ms on an idle host, and holds up every fork of the host meanwhile;
 * and the runtime moves each process that it starts.
 */
export function favorMoves(): void {
  try {
    closeSync(mountTree())
  } catch {
    // The host goes on as before.
  }
}

function openTree(): string | undefined {
  try {
    const fd = mountTree()
    const directory = `/proc/self/fd/${fd}`
    if (canEndGroups(directory)) return directory
    closeSync(fd)
  } catch {
    // No such file system, or no right to mount it.
  }
  return undefined
}

/** There is one tree, and what one mount says holds for all: the host's own options are said again. */
function mountTree(): number {
  const options = Object.fromEntries(hostOptions().map((name) => [name, true as const]))
  try {
    return mountDetached('cgroup2', { ...options, favordynmods: true })
  } catch {
    return mountDetached('cgroup2', options)
  }
}

/** As the host's first program sees them: the tree may be hidden from this one. */
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
