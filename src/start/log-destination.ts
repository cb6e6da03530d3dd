import { write, writeSync } from 'node:fs'

/**
 * A file descriptor that log lines are written to, without waiting for it: the server goes on when it is a full disk, or a pipe that nobody reads.
 *
 * Lines that cannot be written are kept and tried again with the next one, up to `maxWaitingBytes` of UTF-8; further ones are dropped. At the exit of
 * the program what waits is written once more, and given up when the disk is full. pino's own destination tries again for ever there, so that a server
 * with a full disk would never end.
 */
export class LogDestination {
  readonly #fd: number
  readonly #maxWaitingBytes: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** What the kernel is given at the moment. It is written out even when the program exits meanwhile: libuv finishes what was begun. */
  #underWay: Buffer | null = null

  constructor(fd: number, maxWaitingBytes: number) {
    this.#fd = fd
    this.#maxWaitingBytes = maxWaitingBytes
    process.on('exit', () => this.#writeAtExit())
  }

  /** Takes whole lines. Never throws. */
  write(text: string): void {
    const bytes = Buffer.from(text)
    if (this.#waitingBytes + bytes.length > this.#maxWaitingBytes) return
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#underWay === null) this.#writeNext()
  }

  #writeNext(): void {
    const bytes = this.#takeNext()
    if (bytes === null) return
    this.#underWay = bytes
    write(this.#fd, bytes, (error, written) => {
      this.#underWay = null
      const rest = bytes.subarray(error === null ? written : 0)
      if (rest.length > 0) this.#putBack(rest)
      if (error === null) this.#writeNext()
      else if (error.code === 'EAGAIN') setTimeout(() => this.#writeNext(), retryMs).unref()
    })
  }

  /** What the descriptor does not take within a second is lost with the program. */
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

  /** As many lines as fit into one write of moderate size, and at least one. */
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
