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

const SYS_fsopen = 430
const SYS_fsconfig = 431
const SYS_fsmount = 432
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
