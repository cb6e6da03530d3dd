import { open, rm } from 'node:fs/promises'
import { callAsync } from '../system/libc.ts'

/**
 * A file that occupies disk space, and releases it when other programs have filled the disk to the last byte: with no
 * space at all nothing could be deleted either, since a deletion must be recorded.
 */
export class Ballast {
  readonly #path: string
  readonly #bytes: number
  #isAllocated = false

  constructor(path: string, reserveBytes: number) {
    this.#path = path
    this.#bytes = Math.min(maxBytes, Math.floor(reserveBytes / 8))
  }

  /** Allocates the file while there is plenty of space, and deletes it when there is none. Returns what it did. */
  async check(headroomBytes: number, freeBytes: number): Promise<'allocated' | 'released' | undefined> {
    if (!this.#isAllocated && headroomBytes > 2 * this.#bytes) {
      await this.#allocate()
      return 'allocated'
    }
    if (this.#isAllocated && freeBytes < this.#bytes / 4) {
      await rm(this.#path, { force: true })
      this.#isAllocated = false
      return 'released'
    }
    return undefined
  }

  async #allocate(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600)
    try {
      await callAsync('fallocate', file.fd, 0, 0, this.#bytes)
      this.#isAllocated = true
    } finally {
      await file.close()
    }
  }
}

const MiB = 1024 * 1024
const maxBytes = 128 * MiB
