import { Socket, type OnReadOpts } from 'node:net'
import { asCarrelError, CarrelError, isOutOfDescriptors } from '../../../errors.ts'
import { limits } from '../../../config/limits.ts'
import { SystemError } from '../system/libc.ts'
import type { NetworkSlot } from './slots.ts'
import { socketIn } from './socket-in.ts'

/**
 * Connects to a port from inside the network namespace of a computer, so that servers that listen only on 127.0.0.1 are
 * reachable too. Tries the loopback address with IPv4 and IPv6, then the computer's own address. Rejects with
 * `upstream_unreachable` when nothing listens or accepts.
 */
export async function dialComputer(slot: NetworkSlot, port: number, options: Options = {}): Promise<Socket> {
  const targets = targetsOf(slot)
  for (const [index, { family, host }] of targets.entries()) {
    try {
      return await connect({ networkNamespace: slot.networkNamespace, family, host, port, ...options })
    } catch (error) {
      const isLast = index === targets.length - 1
      if (isLast || (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw unreachable(port, error)
    }
  }
  throw unreachable(port, undefined)
}

/** Returns whether `dialComputer` can connect to a server that listens on `address`. */
export function isDialable(slot: NetworkSlot, address: string): boolean {
  return ['0.0.0.0', '::', ...targetsOf(slot).map(({ host }) => host)].includes(address)
}

function targetsOf({ address }: NetworkSlot): { family: number; host: string }[] {
  return [
    { family: AF_INET, host: '127.0.0.1' },
    { family: AF_INET6, host: '::1' },
    { family: AF_INET, host: address },
  ]
}

interface Options {
  onRead?: ((bytes: Buffer) => void) | undefined
  /** Aborts the attempt. */
  signal?: AbortSignal | undefined
}

interface Target extends Options {
  networkNamespace: string
  family: number
  host: string
  port: number
}

/** A port with a full backlog does not answer, and the kernel would retry for two minutes; hence the time limit. */
function connect({ networkNamespace, family, host, port, onRead, signal }: Target): Promise<Socket> {
  signal?.throwIfAborted()
  const fd = socketIn(networkNamespace, family, SOCK_STREAM | SOCK_NONBLOCK)
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd, allowHalfOpen: true, ...(onRead && { onread: reading(onRead) }) })
    const abandon = (code: string) =>
      socket.destroy(Object.assign(new Error('the attempt to connect was abandoned'), { code }))
    const timer = setTimeout(() => abandon('ETIMEDOUT'), limits.dialTimeoutMs)
    const abort = () => abandon('ECANCELED')
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const fail = (error: Error) => {
      settle()
      reject(error)
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.setNoDelay(true)
    socket.once('error', fail)
    socket.connect(port, host, () => {
      settle()
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** All connections share one read buffer: each callback consumes it before the next read. */
function reading(onRead: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: readBuffer,
    callback: (length) => {
      onRead(readBuffer.subarray(0, length))
      return true
    },
  }
}

const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

function unreachable(port: number, cause: unknown): CarrelError {
  if (isOutOfDescriptors(cause)) return asCarrelError(cause)
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  const isGone = cause instanceof SystemError || code === 'ENOENT'
  const isFull = code === 'ETIMEDOUT' || code === 'ECANCELED'
  const reason = isGone ? 'not_running' : isFull ? 'not_accepting' : 'nothing_listens'
  return new CarrelError('upstream_unreachable', `Cannot connect to port ${port}: ${why[reason]}`, {
    details: { port, reason },
    cause,
  })
}

const why = {
  not_running: 'the computer is not running',
  not_accepting: 'the server does not accept connections at the moment',
  nothing_listens: 'nothing listens there',
}

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
