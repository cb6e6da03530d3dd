import { closeSync, openSync } from 'node:fs'
import { call, CLONE_NEWNET } from '../system/libc.ts'

/** Kept open: the host's own network namespace, to come back to. */
const hostNamespace = openSync('/proc/self/ns/net', 'r')

/**
 * A socket of a network namespace, closed on exec; the caller closes it. A socket belongs to the namespace it was made
 * in: this thread goes in for the one call that makes it. Throws a `SystemError`, or `ENOENT` for a missing namespace.
 */
export function socketIn(networkNamespace: string, family: number, type: number, protocol = 0): number {
  const namespace = openSync(networkNamespace, 'r')
  try {
    call('setns', namespace, CLONE_NEWNET)
    try {
      return call('socket', family, type | SOCK_CLOEXEC, protocol)
    } finally {
      call('setns', hostNamespace, CLONE_NEWNET)
    }
  } finally {
    closeSync(namespace)
  }
}

const SOCK_CLOEXEC = 0o2000000
