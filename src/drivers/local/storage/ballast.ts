import { open, rm } from 'node:fs/promises'
import { callAsync } from '../system/libc.ts'

/**
 * A file that takes room on the disk to give it up when others have filled that to the last byte: without any, nothing could be
 * deleted either, as that has to be recorded.
 */
export class Ballast {
  readonly #path: string
  readonly #bytes: number
  #isHeld = false

  constructor(path: string, reserveBytes: number) {
    this.#path = path
    this.#bytes = Math.min(maxBytes, Math.floor(reserveBytes / 8))
  }

  /** Takes its room where there is plenty, gives it up where there is none. */
  async look(roomBytes: number, freeBytes: number): Promise<'taken' | 'given' | undefined> {
    if (!this.#isHeld && roomBytes > 2 * this.#bytes) {
      await this.#take()
      return 'taken'
    }
    if (this.#isHeld && freeBytes < this.#bytes / 4) {
      await rm(this.#path, { force: true })
      this.#isHeld = false
      return 'given'
    }
    return undefined
  }

  async #take(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600)
    try {
      await callAsync('fallocate', file.fd, 0, 0, this.#bytes)
      this.#isHeld = true
    } finally {
      await file.close()
    }
  }
}

const MiB = 1024 * 1024
const maxBytes = 128 * MiB
