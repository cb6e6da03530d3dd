import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { call } from '../system/libc.ts'

/**
 * The two pipes of a connected process. They have names while the process starts, by which the monitor opens the ends
 * of the process: descriptors cannot be sent over its socket.
 */
export class ConnectionPipes {
  /** The paths of the pipes. */
  readonly streams: { stdin: string; stdout: string }
  /** Holds both ends of stdin, so that the monitor can open it and the process reads no end before it has begun. */
  readonly #stdin: number
  readonly #stdout: number

  /** Removes the pipes of starts that an earlier server did not finish. */
  static async clear(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true, mode: 0o700 })
  }

  constructor(directory: string, processId: string) {
    this.streams = { stdin: join(directory, `${processId}.in`), stdout: join(directory, `${processId}.out`) }
    const { stdin, stdout } = this.streams
    try {
      for (const path of [stdin, stdout]) call('mkfifo', path, 0o600)
      this.#stdin = openSync(stdin, constants.O_RDWR | constants.O_NONBLOCK)
      this.#stdout = openSync(stdout, constants.O_RDONLY | constants.O_NONBLOCK)
      // Fewer turns for large transfers. A host may not allow it, and then the usual size does.
      for (const fd of [this.#stdin, this.#stdout]) enlarge(fd)
    } catch (error) {
      this.#unlink()
      throw error
    }
  }

  /** Returns the server's ends, once the process has its own. */
  open(): { stdin: Writable; stdout: Readable } {
    try {
      const fd = openSync(this.streams.stdin, constants.O_WRONLY | constants.O_NONBLOCK)
      const stdin = new Socket({ fd, readable: false, writable: true })
      const stdout = new Socket({ fd: this.#stdout, readable: true, writable: false })
      return { stdin, stdout }
    } finally {
      closeSync(this.#stdin)
      this.#unlink()
    }
  }

  /** Closes everything, when there is no process. */
  abandon(): void {
    closeSync(this.#stdin)
    closeSync(this.#stdout)
    this.#unlink()
  }

  #unlink(): void {
    for (const path of Object.values(this.streams)) rmSync(path, { force: true })
  }
}

function enlarge(fd: number): void {
  try {
    call('fcntl', fd, F_SETPIPE_SZ, pipeBytes)
  } catch {
    // The default of 64 KiB is only slower.
  }
}

const F_SETPIPE_SZ = 1031
const pipeBytes = 256 * 1024
