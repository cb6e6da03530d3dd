import type { FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { CarrelError } from '../../../errors.ts'
import { releaseChunk } from '../../../release-chunk.ts'
import { quote } from '../../files/computer-path.ts'

interface Options {
  /** The path in error messages. */
  path: string
  maxBytes: number
  /** Whether the memory of chunks is freed once they are written. */
  ownsChunks: boolean
  /** Throws when the host has no space for more. */
  assertSpace?: ((path: string) => void) | undefined
}

/**
 * Writes chunks to a file. Chunks that arrive during a write are combined in the next one. Fails with `too_large`
 * beyond its limit.
 */
export class FileSink extends Writable {
  sizeBytes = 0
  readonly #file: FileHandle
  readonly #options: Options

  constructor(file: FileHandle, options: Options) {
    super({ highWaterMark: bufferBytes })
    this.#file = file
    this.#options = options
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.#writeAll([chunk]).then(() => callback(), callback)
  }

  override _writev(entries: { chunk: Buffer }[], callback: (error?: Error) => void): void {
    this.#writeAll(entries.map(({ chunk }) => chunk)).then(() => callback(), callback)
  }

  async #writeAll(chunks: Buffer[]): Promise<void> {
    const { path, maxBytes, ownsChunks, assertSpace } = this.#options
    assertSpace?.(path)
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.sizeBytes += length
    if (this.sizeBytes > maxBytes)
      throw new CarrelError('too_large', `Cannot write ${quote(path)}: it is larger than ${maxBytes} bytes`, {
        details: { maxBytes },
      })
    const { bytesWritten } = await this.#file.writev(chunks)
    if (bytesWritten < length) {
      // The kernel wrote only a part, as it does when the disk becomes full. Writing the rest shows the error.
      const rest = Buffer.concat(chunks).subarray(bytesWritten)
      for (let offset = 0; offset < rest.length;) offset += (await this.#file.write(rest, offset)).bytesWritten
    }
    if (ownsChunks) for (const chunk of chunks) releaseChunk(chunk)
  }
}

/** Limit on buffered data during a write. */
const bufferBytes = 2 * 1024 * 1024
