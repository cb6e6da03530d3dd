import { closeSync, readSync, writeSync } from 'node:fs'
import { socketIn } from './socket-in.ts'

/** A listening TCP socket. */
export interface ListeningSocket {
  port: number
  /** In text form, such as `127.0.0.1` or `::`. */
  address: string
  /** As in the links of `/proc/<pid>/fd`. */
  inode: number
}

/**
 * Returns the listening TCP sockets of a network namespace, at most `maxSockets`. Requests only these from the kernel
 * (sock_diag(7)): a thirtieth of the work of `/proc/net/tcp`, which walks through all connections of the host.
 */
export function listeningSockets(networkNamespace: string): ListeningSocket[] {
  const fd = socketIn(networkNamespace, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)
  try {
    const sockets = dump(fd, AF_INET)
    // After a dump that was cut off, the socket still holds the rest of it, which would look like the next dump.
    return sockets.length < maxSockets ? [...sockets, ...dump(fd, AF_INET6)] : sockets
  } finally {
    closeSync(fd)
  }
}

function dump(fd: number, family: number): ListeningSocket[] {
  writeSync(fd, dumpRequest(family))
  const sockets: ListeningSocket[] = []
  const part = Buffer.alloc(partBytes)
  while (sockets.length < maxSockets) {
    const length = readSync(fd, part)
    for (let at = 0; at < length;) {
      const bytes = part.readUInt32LE(at)
      const type = part.readUInt16LE(at + 4)
      if (type === NLMSG_DONE) return sockets
      if (type === NLMSG_ERROR) throw new Error(`sock_diag: errno ${-part.readInt32LE(at + headerBytes)}`)
      sockets.push(socketFrom(part.subarray(at + headerBytes, at + bytes)))
      at += Math.ceil(bytes / 4) * 4
    }
  }
  return sockets
}

/** Returns a netlink header and a `struct inet_diag_req_v2`. */
function dumpRequest(family: number): Buffer {
  const request = Buffer.alloc(headerBytes + 56)
  request.writeUInt32LE(request.length, 0)
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  request.writeUInt16LE(NLM_F_REQUEST | NLM_F_DUMP, 6)
  request.writeUInt8(family, headerBytes)
  request.writeUInt8(IPPROTO_TCP, headerBytes + 1)
  request.writeUInt32LE(1 << TCP_LISTEN, headerBytes + 4)
  return request
}

/** Reads a `struct inet_diag_msg`. */
function socketFrom(message: Buffer): ListeningSocket {
  const address =
    message.readUInt8(0) === AF_INET ? [...message.subarray(8, 12)].join('.') : ipv6(message.subarray(8, 24))
  return { port: message.readUInt16BE(4), address, inode: message.readUInt32LE(68) }
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** More than programs need, so that the work is bounded for a guest that listens on all ports. */
const maxSockets = 1024
const partBytes = 32 * 1024
const headerBytes = 16
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_NONBLOCK = 0o4000
const IPPROTO_TCP = 6
const TCP_LISTEN = 10
const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
