import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { CarrelError } from '../../../errors.ts'
import { call, CLONE_NEWNET, SystemError } from '../system/libc.ts'

/** Kept open: the host's own network namespace, to come back to. */
const hostNamespace = openSync('/proc/self/ns/net', 'r')

/**
 * Connects to a port on the loopback of a network namespace, so that servers that listen on 127.0.0.1 alone are
 * reached too. A socket belongs to the namespace it was made in: this thread goes in for the one call that makes it.
 * Tries IPv4, then IPv6. Rejects with `upstream_unreachable` when nothing listens.
 */
export async function dialLoopback(networkNamespace: string, port: number): Promise<Socket> {
  try {
    return await connect(networkNamespace, AF_INET, '127.0.0.1', port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw unreachable(port, error)
  }
  return connect(networkNamespace, AF_INET6, '::1', port).catch((error: unknown) => {
    throw unreachable(port, error)
  })
}

function connect(networkNamespace: string, family: number, host: string, port: number): Promise<Socket> {
  const fd = socketIn(networkNamespace, family)
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd, allowHalfOpen: true })
    socket.setNoDelay(true)
    socket.once('error', reject)
    socket.connect(port, host, () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function socketIn(networkNamespace: string, family: number): number {
  const namespace = openSync(networkNamespace, 'r')
  try {
    call('setns', namespace, CLONE_NEWNET)
    try {
      return call('socket', family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    } finally {
      call('setns', hostNamespace, CLONE_NEWNET)
    }
  } finally {
    closeSync(namespace)
  }
}

function unreachable(port: number, cause: unknown): CarrelError {
  const why =
    cause instanceof SystemError || (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'the computer is not running'
      : 'nothing listens there'
  return new CarrelError('upstream_unreachable', `Cannot connect to port ${port}: ${why}`, { details: { port }, cause })
}

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
