import { closeSync, openSync } from 'node:fs'
import { call, CLONE_NEWNET } from '../system/libc.ts'

/** The host's network namespace, kept open to return to it. */
const hostNamespace = openSync('/proc/self/ns/net', 'r')

/**
 * Creates a socket in a network namespace, closed on exec; the caller closes it. A socket belongs to the namespace in
 * which it is created, so this thread enters the namespace for that one call. Throws a `SystemError`, or `ENOENT` when
 * the namespace does not exist.
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
