import { Socket } from 'node:net'
import { call } from '../system/libc.ts'

/**
 * A pipe to a process's stdin. Node closes the one that it makes itself when its child ends, which here is the
 * runtime, long before the process that reads from it.
 */
export class InputPipe {
  readonly readEnd: number
  readonly #writeEnd: number

  constructor() {
    const ends = [0, 0]
    call('pipe2', ends, O_CLOEXEC)
    ;[this.readEnd, this.#writeEnd] = ends as [number, number]
  }

  /** Closes this side's read end, after the child was made, and gives the stream to write to. */
  handOver(): Socket {
    call('close', this.readEnd)
    return new Socket({ fd: this.#writeEnd, readable: false, writable: true }).on('error', () => {})
  }
}

const O_CLOEXEC = 0o200_0000
