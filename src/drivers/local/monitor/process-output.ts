import { readSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { StreamName } from './journal.ts'
import { LingeringOutputs } from './lingering-outputs.ts'

/** What a pipe can hold at most is 1 MiB; a child that lives on could write for ever. */
const maxReads = 64
const readBytes = 64 * 1024

/** Of an account, and of all, in a monitor that may have some ten thousand descriptors. */
const lingering = new LingeringOutputs({ maxOfOne: 512, most: 4096 })

/** One of the outputs of a process: read as it comes, and to the last byte at the end of the process. */
export class ProcessOutput {
  readonly #name: StreamName
  readonly #fd: number
  readonly #stream: Readable
  readonly #take: (name: StreamName, chunk: Buffer) => void

  /** `fd` is the descriptor that the stream reads from. */
  constructor(name: StreamName, fd: number, stream: Readable, take: (name: StreamName, chunk: Buffer) => void) {
    this.#name = name
    this.#fd = fd
    this.#stream = stream
    this.#take = take
    stream.on('data', (chunk: Buffer) => take(name, chunk))
    // A terminal's master side ends with EIO.
    stream.on('error', () => stream.destroy())
  }

  /** Children that have it still may write on, as long as there are not too many of it. */
  linger(account: string): void {
    lingering.add(account, this.#stream)
  }

  /** Reads nothing for a while, so that who writes has to wait, or reads on. */
  hold(held: boolean): void {
    if (held) this.#stream.pause()
    else this.#stream.resume()
  }

  /**
   * Takes what is there now, without waiting. Called when the process has ended, that is all that it wrote; children
   * that live on and hold the output open do not matter.
   */
  takeRest(): void {
    if (this.#stream.destroyed) return
    // What was read ahead while it was held comes first, by the listener above.
    while (this.#stream.read() !== null);
    const buffer = Buffer.allocUnsafe(readBytes)
    for (let count = 0; count < maxReads; count++) {
      let length: number
      try {
        length = readSync(this.#fd, buffer)
      } catch {
        // EAGAIN: it is empty. EIO: the terminal is gone.
        return
      }
      if (length === 0) return
      this.#take(this.#name, buffer.subarray(0, length))
    }
  }
}
