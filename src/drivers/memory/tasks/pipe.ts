import type { Descriptor } from './descriptor.ts'

/** The error of a write to a pipe that has no readers any more. */
export class BrokenPipe extends Error {
  constructor() {
    super('Broken pipe')
  }
}

/**
 * Passes bytes from one task, or the server, to another. A writer waits while the pipe is full, a reader while it is
 * empty.
 */
export class Pipe {
  readonly reader: Descriptor
  readonly writer: Descriptor
  readonly #chunks: Buffer[] = []
  #waitingBytes = 0
  #readers = 0
  #writers = 0
  #changed = Promise.withResolvers<void>()

  constructor() {
    this.reader = {
      retain: () => void this.#readers++,
      release: () => this.#change(() => this.#readers--),
      read: (maxBytes) => this.#read(maxBytes),
      write: () => Promise.reject(new BrokenPipe()),
    }
    this.writer = {
      retain: () => void this.#writers++,
      release: () => this.#change(() => this.#writers--),
      read: async () => Buffer.alloc(0),
      write: (bytes) => this.#write(bytes),
    }
  }

  async #read(maxBytes: number): Promise<Buffer> {
    while (this.#waitingBytes === 0) {
      if (this.#writers === 0) return Buffer.alloc(0)
      await this.#changed.promise
    }
    const first = this.#chunks.shift()!
    const taken = first.subarray(0, maxBytes)
    if (taken.length < first.length) this.#chunks.unshift(first.subarray(taken.length))
    this.#change(() => (this.#waitingBytes -= taken.length))
    return taken
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let left = Buffer.from(bytes); left.length > 0;) {
      if (this.#readers === 0) throw new BrokenPipe()
      const part = left.subarray(0, capacityBytes - this.#waitingBytes)
      if (part.length === 0) {
        await this.#changed.promise
        continue
      }
      left = left.subarray(part.length)
      this.#chunks.push(part)
      this.#change(() => (this.#waitingBytes += part.length))
    }
    if (this.#readers === 0) throw new BrokenPipe()
  }

  #change(change: () => void): void {
    change()
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** The capacity of pipes on Linux. */
const capacityBytes = 64 * 1024
