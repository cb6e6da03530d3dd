import { readSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { StreamName } from './journal.ts'
import { LingeringOutputs } from './lingering-outputs.ts'

/** A pipe holds at most 1 MiB. A surviving child could write forever. */
const maxReads = 64
const readBytes = 64 * 1024

/** Limits for a monitor that may have about ten thousand descriptors. */
const lingering = new LingeringOutputs({ maxPerAccount: 512, maxTotal: 4096 })

/** One output of a process: read as it comes, and to its last byte when the process ends. */
export class ProcessOutput {
  readonly #name: StreamName
  readonly #fd: number
  readonly #stream: Readable
  readonly #take: (name: StreamName, chunk: Buffer) => void

  /** `fd` is the descriptor of the stream. */
  constructor(name: StreamName, fd: number, stream: Readable, take: (name: StreamName, chunk: Buffer) => void) {
    this.#name = name
    this.#fd = fd
    this.#stream = stream
    this.#take = take
    stream.on('data', (chunk: Buffer) => take(name, chunk))
    // The master side of a terminal ends with EIO.
    stream.on('error', () => stream.destroy())
  }

  /** Lets surviving children continue to write, up to the limit on lingering outputs. */
  linger(account: string): void {
    lingering.add(account, this.#stream)
  }

  /** Stops reading, so that the writer has to wait, or resumes. */
  setPaused(paused: boolean): void {
    if (paused) this.#stream.pause()
    else this.#stream.resume()
  }

  /**
   * Reads what is available, without waiting. After the end of the process, that is the rest of its output, even if
   * surviving children hold the output open.
   */
  takeRest(): void {
    if (this.#stream.destroyed) return
    // Data that the stream read ahead while it was paused comes first, through the listener in the constructor.
    while (this.#stream.read() !== null);
    const buffer = Buffer.allocUnsafe(readBytes)
    for (let count = 0; count < maxReads; count++) {
      let length: number
      try {
        length = readSync(this.#fd, buffer)
      } catch {
        // EAGAIN: the output is empty. EIO: the terminal is closed.
        return
      }
      if (length === 0) return
      this.#take(this.#name, buffer.subarray(0, length))
    }
  }
}
