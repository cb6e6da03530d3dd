import { once } from 'node:events'
import type { WriteStream } from 'node:tty'

/** The reader of the output has gone, as `head` does. */
export class BrokenPipe extends Error {}

/** One of the program's own streams. Writing waits while the reader is slow. */
export class Output {
  readonly #stream: WriteStream
  #failure: Error | undefined

  constructor(stream: WriteStream) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const isGone = error.code === 'EPIPE' || error.code === 'EIO' || error.code === 'ECONNRESET'
      this.#failure ??= isGone ? new BrokenPipe('The output is closed') : error
    })
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY
  }

  /** undefined if the stream is not a terminal. */
  get size(): { cols: number; rows: number } | undefined {
    const { columns, rows } = this.#stream
    return this.isTerminal && columns > 0 && rows > 0 ? { cols: columns, rows } : undefined
  }

  /** Width in characters; undefined if the stream is not a terminal, or does not report it. */
  get width(): number | undefined {
    return this.isTerminal && this.#stream.columns > 0 ? this.#stream.columns : undefined
  }

  onResize(listener: () => void): () => void {
    this.#stream.on('resize', listener)
    return () => this.#stream.off('resize', listener)
  }

  /** Resolves when more can be written. Rejects with `BrokenPipe` when the reader has gone. */
  async write(data: string | Uint8Array): Promise<void> {
    if (!this.#failure && !this.#stream.write(data)) await once(this.#stream, 'drain').catch(() => {})
    if (this.#failure) throw this.#failure
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`)
  }

  /** Resolves when everything has been written, or can no longer be. */
  async flush(): Promise<void> {
    if (this.#failure) return
    await new Promise<void>((resolve) => this.#stream.write('', () => resolve()))
  }
}
