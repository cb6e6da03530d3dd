import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'

export interface CollectedOutput {
  stdout: Buffer
  stderr: Buffer
  /** True when not all of it is here. */
  truncated: boolean
}

interface Options {
  /** Of each stream, the newest. */
  maxBytes: number
}

/** All kept output of an ended process, of each stream the newest `maxBytes`. */
export async function collectOutput(handle: ProcessHandle, { maxBytes }: Options): Promise<CollectedOutput> {
  const kept = { stdout: new Tail(maxBytes), stderr: new Tail(maxBytes) }
  let truncated = false
  for await (const chunk of handle.follow(0, undefined, { borrowed: true })) {
    truncated ||= chunk.truncated
    for (const { stream, data } of chunk.records) kept[stream].add(data)
  }
  return {
    stdout: kept.stdout.bytes(),
    stderr: kept.stderr.bytes(),
    truncated: truncated || kept.stdout.cut || kept.stderr.cut,
  }
}

/** Memory that the output of an ended process takes while it is answered; 0 for what is not worth counting. */
export function outputMemoryBytes({ outputBytes }: ProcessExit, { maxBytes }: Options): number {
  return outputBytes <= limits.uncountedBytes ? 0 : 2 * Math.min(outputBytes, 2 * maxBytes)
}

/** The newest bytes of all that came, copied: what they came in is far more, and they may have come one by one. */
class Tail {
  readonly #maxBytes: number
  #bytes = Buffer.alloc(0)
  #length = 0
  cut = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(data: Buffer): void {
    if (this.#length + data.length > this.#bytes.length) this.#makeRoom(data.length)
    this.#length += data.copy(this.#bytes, this.#length)
  }

  bytes(): Buffer {
    this.#drop()
    return this.#bytes.subarray(0, this.#length)
  }

  /** There are up to twice as many as are wanted, so that they are seldom moved. */
  #makeRoom(bytes: number): void {
    this.#drop()
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const size = Math.max(needed, Math.min(2 * this.#bytes.length, 2 * this.#maxBytes))
    const larger = Buffer.allocUnsafe(size)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  #drop(): void {
    if (this.#length <= this.#maxBytes) return
    this.#bytes.copy(this.#bytes, 0, this.#length - this.#maxBytes, this.#length)
    this.#length = this.#maxBytes
    this.cut = true
  }
}
