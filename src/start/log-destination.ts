import { write, writeSync } from 'node:fs'

/**
 * Writes log lines to a file descriptor without blocking: the server continues when the disk is full or nobody reads
 * the pipe.
 *
 * Lines that cannot be written are kept, up to `maxWaitingBytes` of UTF-8, and retried with the next line; further
 * lines are dropped. At exit the kept lines are written once more, and given up if the disk is full. There pino's own
 * destination retries forever, so that a server with a full disk would never end.
 */
export class LogDestination {
  readonly #fd: number
  readonly #maxWaitingBytes: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** The write in progress. It completes even if the program exits meanwhile, as libuv finishes what it has begun. */
  #writing: Buffer | null = null

  constructor(fd: number, maxWaitingBytes: number) {
    this.#fd = fd
    this.#maxWaitingBytes = maxWaitingBytes
    process.on('exit', () => this.#writeAtExit())
  }

  /** Accepts whole lines. Never throws. */
  write(text: string): void {
    const bytes = Buffer.from(text)
    if (this.#waitingBytes + bytes.length > this.#maxWaitingBytes) return
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#writing === null) this.#writeNext()
  }

  #writeNext(): void {
    const bytes = this.#takeNext()
    if (bytes === null) return
    this.#writing = bytes
    write(this.#fd, bytes, (error, written) => {
      this.#writing = null
      const rest = bytes.subarray(error === null ? written : 0)
      if (rest.length > 0) this.#putBack(rest)
      if (error === null) this.#writeNext()
      else if (error.code === 'EAGAIN') setTimeout(() => this.#writeNext(), retryMs).unref()
    })
  }

  /** Writes what waits. Lines that the descriptor does not accept within a second are lost. */
  #writeAtExit(): void {
    const giveUpAt = performance.now() + maxExitMs
    for (let bytes = this.#takeNext(); bytes !== null; bytes = this.#takeNext()) {
      let written = 0
      try {
        written = writeSync(this.#fd, bytes)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > giveUpAt) return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryAtExitMs)
      }
      if (written < bytes.length) this.#putBack(bytes.subarray(written))
    }
  }

  /** Removes and returns as many lines as fit into one write of moderate size, at least one; null if none waits. */
  #takeNext(): Buffer | null {
    let count = 0
    let length = 0
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > maxWriteBytes) break
      length += line.length
      count++
    }
    if (count === 0) return null
    this.#waitingBytes -= length
    const lines = this.#waiting.splice(0, count)
    return lines.length === 1 ? (lines[0] ?? null) : Buffer.concat(lines)
  }

  #putBack(bytes: Buffer): void {
    this.#waiting.unshift(bytes)
    this.#waitingBytes += bytes.length
  }
}

const maxWriteBytes = 64 * 1024
const retryMs = 100
const maxExitMs = 1000
const retryAtExitMs = 5
