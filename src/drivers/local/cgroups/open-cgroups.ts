import { existsSync } from 'node:fs'
import type { Paths } from '../paths.ts'
import { call, MNT_DETACH } from '../system/libc.ts'
import { favorMoves } from '../system/group-tree.ts'
import { takeOwnMounts } from '../system/own-mounts.ts'
import type { Cgroups } from './cgroups.ts'
import { ExecGroups } from './exec-groups.ts'
import { cgroupRoot } from '../system/cgroup-root.ts'
import { version1, withExecGroups } from './version-1.ts'
import { version2 } from './version-2.ts'

/**
 * Returns the control groups of the host. crun refuses a hybrid host (version 1, with controllers in a version 2 tree
 * beside it), so there this process unmounts the version 2 tree in a mount namespace of its own, which its children
 * share.
 */
export function openCgroups(paths: Paths): Cgroups {
  const found = findCgroups()
  if (found === version2) {
    favorMoves()
    return found
  }
  if (existsSync(`${cgroupRoot}/unified/cgroup.controllers`)) hideUnifiedTree(paths)
  const groups = ExecGroups.open()
  return groups ? withExecGroups(groups) : version1
}

/** Returns the control groups of the host without leaving its mount namespace, for use before `openCgroups`. */
export function findCgroups(): Cgroups {
  return existsSync(`${cgroupRoot}/cgroup.controllers`) ? version2 : version1
}

function hideUnifiedTree({ data, mounts }: Paths): void {
  takeOwnMounts(data, mounts)
  call('umount2', `${cgroupRoot}/unified`, MNT_DETACH)
}
