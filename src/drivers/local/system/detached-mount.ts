import { closeSync } from 'node:fs'
import { call } from './libc.ts'

/**
 * Mounts a file system without a mount point. Returns a descriptor of its root, closed on exec: no program finds the
 * mount in the list of mounts, and it ends with this program. Throws a `SystemError`, also on a kernel before 5.2.
 */
export function mountDetached(type: string, options: Record<string, string | true> = {}): number {
  const context = call('fsopen', SYS_fsopen, type, FSOPEN_CLOEXEC)
  try {
    for (const [name, value] of Object.entries(options)) {
      if (value === true) call('fsconfig', SYS_fsconfig, context, FSCONFIG_SET_FLAG, name, null, 0)
      else call('fsconfig', SYS_fsconfig, context, FSCONFIG_SET_STRING, name, value, 0)
    }
    call('fsconfig', SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0)
    return call('fsmount', SYS_fsmount, context, FSMOUNT_CLOEXEC, 0)
  } finally {
    closeSync(context)
  }
}

/**
 * Mounts an open directory once more, without a mount point, read-only. Returns a descriptor, closed on exec. From
 * there no path leads out of the directory, and nothing shows where it is on the host.
 */
export function mountReadOnly(directoryFd: number): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH
  const tree = call('open_tree', SYS_open_tree, directoryFd, '', flags)
  try {
    const attributes = Buffer.alloc(32)
    attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
    call('mount_setattr', SYS_mount_setattr, tree, '', AT_EMPTY_PATH, attributes, attributes.length)
    return tree
  } catch (error) {
    closeSync(tree)
    throw error
  }
}

const SYS_open_tree = 428
const SYS_mount_setattr = 442
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = 0x8_0000
const AT_EMPTY_PATH = 0x1000
const MOUNT_ATTR_RDONLY = 1n
const MOUNT_ATTR_NOSUID = 2n
const MOUNT_ATTR_NODEV = 4n
const MOUNT_ATTR_NOEXEC = 8n
const SYS_fsopen = 430
const SYS_fsconfig = 431
const SYS_fsmount = 432
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
