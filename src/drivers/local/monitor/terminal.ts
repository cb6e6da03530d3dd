import { constants, unlinkSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { ReadStream } from 'node:tty'
import koffi from 'koffi'
import { call } from '../system/libc.ts'

/**
 * The socket on which the runtime passes the master side of a terminal. Node cannot receive descriptors, so this class
 * makes the system calls. Nothing blocks, since the runtime sends before it exits.
 */
export class ConsoleSocket {
  readonly #path: string
  readonly #fd: number

  constructor(path: string) {
    this.#path = path
    const address = Buffer.alloc(2 + 108)
    address.writeUInt16LE(AF_UNIX, 0)
    if (address.write(path, 2) > 107) throw new Error(`Socket path is too long: "${path}"`)
    this.#fd = call('socket', AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    call('bind', this.#fd, address, address.length)
    call('listen', this.#fd, 1)
  }

  /** Returns the received descriptor. Throws when there is none. */
  receive(): number {
    const connection = call('accept4', this.#fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK)
    try {
      return receiveDescriptor(connection)
    } finally {
      call('close', connection)
    }
  }

  close(): void {
    call('close', this.#fd)
    unlinkSync(this.#path)
  }
}

function receiveDescriptor(connection: number): number {
  const { message, control, keep } = messageHeader()
  const received = call('recvmsg', connection, message, MSG_CMSG_CLOEXEC)
  if (received === 0 || keep.length === 0) throw new Error('The runtime closed the console socket')
  if (control.readUInt32LE(12) !== SCM_RIGHTS) throw new Error('The runtime sent no terminal')
  return control.readInt32LE(16)
}

/** Returns a `struct msghdr` (64-bit) with room for a byte and a descriptor. */
function messageHeader(): { message: Buffer; control: Buffer; keep: Buffer[] } {
  const byte = Buffer.alloc(64)
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(BigInt(koffi.address(byte)), 0)
  vector.writeBigUInt64LE(BigInt(byte.length), 8)
  const control = Buffer.alloc(64)
  const message = Buffer.alloc(56)
  message.writeBigUInt64LE(BigInt(koffi.address(vector)), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(BigInt(koffi.address(control)), 32)
  message.writeBigUInt64LE(BigInt(control.length), 40)
  return { message, control, keep: [byte, vector] }
}

/**
 * The master side of a process's terminal. When a program does not read, its terminal is full, and a blocking write
 * would stop the whole monitor. So the descriptor is non-blocking, and libuv, which assumes a blocking one, only reads
 * from it.
 */
export class Terminal {
  /** The output of the process. */
  readonly output: ReadStream
  readonly #fd: number
  /** Keeps the terminal open until `release`. */
  readonly #duplicateFd: number
  #writing: Promise<void> = Promise.resolve()

  constructor(masterFd: number) {
    this.#fd = masterFd
    this.output = new ReadStream(masterFd)
    this.#duplicateFd = call('fcntl', masterFd, F_DUPFD_CLOEXEC, 0)
    call('fcntl', masterFd, F_SETFL, constants.O_RDWR | constants.O_NONBLOCK)
  }

  /** Resolves when the terminal has accepted all bytes. Rejects when the process has ended. */
  write(data: Buffer): Promise<void> {
    const written = this.#writing.then(() => this.#writeAll(data))
    this.#writing = written.catch(() => {})
    return written
  }

  async #writeAll(data: Buffer): Promise<void> {
    let done = 0
    for (let pauseMs = firstPauseMs; done < data.length;) {
      if (this.output.destroyed) throw new Error('the terminal is gone')
      const length = writeSome(this.#fd, data.subarray(done))
      done += length
      if (length > 0) pauseMs = firstPauseMs
      else await delay((pauseMs = Math.min(pauseMs * 2, maxPauseMs)))
    }
  }

  /**
   * Closes the duplicate descriptor, after the end of the process. Reading ends when the process closes its side,
   * possibly just before it exits; if that closed the last master descriptor, the process would get a hang-up.
   */
  release(): void {
    call('close', this.#duplicateFd)
  }

  resize(cols: number, rows: number): void {
    const size = Buffer.alloc(8)
    size.writeUInt16LE(rows, 0)
    size.writeUInt16LE(cols, 2)
    call('ioctl', this.#fd, TIOCSWINSZ, size)
  }
}

/** Returns how many bytes were written; 0 when the terminal is full. */
function writeSome(fd: number, data: Buffer): number {
  try {
    return writeSync(fd, data)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

/** Pauses before a full terminal is tried again, as there is no event for its program having read. */
const firstPauseMs = 1
const maxPauseMs = 50

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SCM_RIGHTS = 1
const MSG_CMSG_CLOEXEC = 0x4000_0000
const F_SETFL = 4
const F_DUPFD_CLOEXEC = 1030
const TIOCSWINSZ = 0x5414
