import type { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import { damaged } from './damaged.ts'
import { PeerPatience } from './peer-patience.ts'
import { digestName } from './stream-format.ts'

/** Reads the bytes of a stream in parts of the caller's choice, and hashes what it has read. */
export class StreamBytes {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #patience: PeerPatience
  readonly #hash = createHash(digestName)
  #rest: Buffer = Buffer.alloc(0)

  /** @param stallMs as in `PeerPatience` */
  constructor(stream: Readable, stallMs: number) {
    this.#chunks = stream[Symbol.asyncIterator]()
    this.#patience = new PeerPatience(stallMs)
  }

  /** Returns the digest of everything read so far. */
  digest(): Buffer {
    return this.#hash.copy().digest()
  }

  /** Returns between 1 and `max` bytes. Throws `invalid_request` at the end of the stream. */
  async upTo(max: number): Promise<Buffer> {
    if (!(await this.#fill())) throw damaged('it ends too early')
    const part = this.#rest.subarray(0, max)
    this.#rest = this.#rest.subarray(part.length)
    this.#hash.update(part)
    return part
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = length; left > 0;) {
      const part = await this.upTo(left)
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill())
  }

  /** Returns false at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next()
      if (done) return false
      this.#patience.earn(value.length)
      this.#rest = value
    }
    return true
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#patience.await(this.#chunks.next(), () => damaged('it has stopped, or is too slow'))
    } catch (error) {
      throw damaged('it was interrupted', error)
    }
  }
}
