import type { Socket } from 'node:net'
import { call } from './libc.ts'

/** Returns the process id of the listener at the other end of a Unix socket; undefined when it cannot be determined. */
export function peerPid(socket: Socket): number | undefined {
  // Node offers no other access to a socket's descriptor.
  const fd = (Reflect.get(socket, '_handle') as { fd?: number } | null)?.fd
  if (fd === undefined || fd < 0) return undefined
  const credentials = Buffer.alloc(credentialsBytes)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(credentialsBytes)
  try {
    call('getsockopt', fd, SOL_SOCKET, SO_PEERCRED, credentials, length)
  } catch {
    return undefined
  }
  return credentials.readInt32LE(0) || undefined
}

/** `struct ucred`: process, user and group. */
const credentialsBytes = 12
const SOL_SOCKET = 1
const SO_PEERCRED = 17
