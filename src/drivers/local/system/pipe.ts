import { Socket } from 'node:net'
import { call } from './libc.ts'

/**
 * A pipe between this program and a child. Unlike a pipe of Node's `spawn`, it is not closed when the child ends: here
 * the child is the runtime, which ends long before the process that holds the other end.
 */
export class Pipe {
  readonly readEnd: number
  readonly writeEnd: number

  constructor() {
    const ends = [0, 0]
    call('pipe2', ends, O_CLOEXEC)
    ;[this.readEnd, this.writeEnd] = ends as [number, number]
  }

  /** Returns the read end as a stream, and closes this program's write end, which the child has. */
  reader(): Socket {
    call('close', this.writeEnd)
    return new Socket({ fd: this.readEnd, readable: true, writable: false })
  }

  /** Returns the write end as a stream, and closes this program's read end, which the child has. */
  writer(): Socket {
    call('close', this.readEnd)
    return new Socket({ fd: this.writeEnd, readable: false, writable: true })
  }

  /** Closes both ends, when there is no child. */
  close(): void {
    call('close', this.readEnd)
    call('close', this.writeEnd)
  }
}

const O_CLOEXEC = 0o200_0000
