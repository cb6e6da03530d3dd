import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'

export interface CollectedOutput {
  stdout: Buffer
  stderr: Buffer
  /** True when some of the output is missing. */
  truncated: boolean
}

interface Options {
  /** How many bytes of each stream are collected at most; the newest are kept. */
  maxBytes: number
}

/** Returns the kept output of an ended process: of each stream, the newest `maxBytes`. */
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

/**
 * Returns the memory that the output of an ended process takes while it is sent; 0 when that is too little to count.
 */
export function outputMemoryBytes({ outputBytes }: ProcessExit, { maxBytes }: Options): number {
  return outputBytes <= limits.uncountedBytes ? 0 : 2 * Math.min(outputBytes, 2 * maxBytes)
}

/** The newest bytes of a stream, in a copy: the chunks that they arrive in hold far more, or only a byte each. */
class Tail {
  readonly #maxBytes: number
  #bytes = Buffer.alloc(0)
  #length = 0
  cut = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(data: Buffer): void {
    if (this.#length + data.length > this.#bytes.length) this.#reserve(data.length)
    this.#length += data.copy(this.#bytes, this.#length)
  }

  bytes(): Buffer {
    this.#trim()
    return this.#bytes.subarray(0, this.#length)
  }

  /** Makes room for more. The buffer holds up to twice as many bytes as are wanted, so that they are seldom moved. */
  #reserve(bytes: number): void {
    this.#trim()
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const size = Math.max(needed, Math.min(2 * this.#bytes.length, 2 * this.#maxBytes))
    const larger = Buffer.allocUnsafe(size)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  #trim(): void {
    if (this.#length <= this.#maxBytes) return
    this.#bytes.copy(this.#bytes, 0, this.#length - this.#maxBytes, this.#length)
    this.#length = this.#maxBytes
    this.cut = true
  }
}
