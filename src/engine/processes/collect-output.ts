import type { ProcessHandle } from '../../drivers/driver.ts'

export interface CollectedOutput {
  stdout: Buffer
  stderr: Buffer
  /** True when not all of it is here. */
  truncated: boolean
}

/** All kept output of an ended process, of each stream the newest `maxBytes`. */
export async function collectOutput(handle: ProcessHandle, maxBytes: number): Promise<CollectedOutput> {
  const kept = { stdout: new Tail(maxBytes), stderr: new Tail(maxBytes) }
  let truncated = false
  for await (const chunk of handle.follow(0)) {
    truncated ||= chunk.truncated
    for (const { stream, data } of chunk.records) kept[stream].add(data)
  }
  return {
    stdout: kept.stdout.bytes(),
    stderr: kept.stderr.bytes(),
    truncated: truncated || kept.stdout.cut || kept.stderr.cut,
  }
}

class Tail {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #length = 0
  cut = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(data: Buffer): void {
    this.#chunks.push(data)
    this.#length += data.length
    while (this.#length - this.#chunks[0]!.length >= this.#maxBytes) {
      this.#length -= this.#chunks.shift()!.length
      this.cut = true
    }
  }

  bytes(): Buffer {
    const all = Buffer.concat(this.#chunks)
    if (all.length <= this.#maxBytes) return all
    this.cut = true
    return all.subarray(all.length - this.#maxBytes)
  }
}
