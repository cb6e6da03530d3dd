import type { Duplex } from 'node:stream'

/** Reads a stream by numbers of bytes, and leaves what follows to the next reader. */
export class ByteReader {
  readonly #stream: Duplex

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  /** Returns the next bytes, of which few are asked for at a time. Rejects when the stream ends before. */
  take(bytes: number): Promise<Buffer> {
    if (bytes === 0) return Promise.resolve(Buffer.alloc(0))
    const stream = this.#stream
    return new Promise((resolve, reject) => {
      const stop = () => stream.off('readable', read).off('end', gone).off('close', gone)
      const gone = () => {
        stop()
        reject(new Error('the connection ended'))
      }
      const read = () => {
        const found = stream.read(bytes) as Buffer | null
        if (found === null) return
        stop()
        if (found.length < bytes) reject(new Error('the connection ended'))
        else resolve(found)
      }
      if (stream.destroyed || stream.readableEnded) return gone()
      stream.on('readable', read).on('end', gone).on('close', gone)
      read()
    })
  }

  async uint8(): Promise<number> {
    return (await this.take(1)).readUInt8()
  }

  async uint32(): Promise<number> {
    return (await this.take(4)).readUInt32BE()
  }

  /** Returns a text whose length precedes it. Rejects when it is longer than `maxBytes`. */
  async text(bytes: number, maxBytes: number): Promise<string> {
    if (bytes > maxBytes) throw new Error('a text is too long')
    return (await this.take(bytes)).toString('utf8')
  }
}
