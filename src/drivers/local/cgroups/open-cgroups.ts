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
 * Finds out what the host has. A hybrid host (version 1 with controllers in a version 2 tree beside it) is refused by
 * crun, so there the version 2 tree is taken out of this process's own mount namespace, which its children share.
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

/** The same without leaving this process's mount namespace, for what comes before. */
export function findCgroups(): Cgroups {
  return existsSync(`${cgroupRoot}/cgroup.controllers`) ? version2 : version1
}

function hideUnifiedTree({ data, mounts }: Paths): void {
  takeOwnMounts(data, mounts)
  call('umount2', `${cgroupRoot}/unified`, MNT_DETACH)
}
