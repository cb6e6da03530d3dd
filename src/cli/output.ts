import { once } from 'node:events'
import type { WriteStream } from 'node:tty'

/** Whoever read the output has gone, as `head` does. */
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

  /** undefined when it is no terminal. */
  get size(): { cols: number; rows: number } | undefined {
    const { columns, rows } = this.#stream
    return this.isTerminal && columns > 0 && rows > 0 ? { cols: columns, rows } : undefined
  }

  /** In characters; undefined when it is no terminal, or one that does not tell. */
  get width(): number | undefined {
    return this.isTerminal && this.#stream.columns > 0 ? this.#stream.columns : undefined
  }

  onResize(listener: () => void): () => void {
    this.#stream.on('resize', listener)
    return () => this.#stream.off('resize', listener)
  }

  /** Resolves when more can be written; rejects with `BrokenPipe` when nobody reads. */
  async write(data: string | Uint8Array): Promise<void> {
    if (!this.#failure && !this.#stream.write(data)) await once(this.#stream, 'drain').catch(() => {})
    if (this.#failure) throw this.#failure
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`)
  }

  /** Resolves when all of it is out, or can't get out any more. */
  async flush(): Promise<void> {
    if (this.#failure) return
    await new Promise<void>((resolve) => this.#stream.write('', () => resolve()))
  }
}
