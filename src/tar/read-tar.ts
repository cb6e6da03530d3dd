import { blockBytes, decodeHeader } from './tar-header.ts'
import { readAttributes, type TarAttributes } from './tar-attributes.ts'
import type { TarEntry } from './tar-records.ts'

/** Maximum length of a name, and of the attributes of an entry; no file has longer ones. */
const maxNameBytes = 64 * 1024

export interface ReadTarOptions {
  /** True to fail at a device or a pipe, which has no content; otherwise such entries are left out. */
  refusesDevices?: boolean
}

/**
 * Yields the entries of a tar stream: POSIX's, also with attributes (pax), and GNU tar's. The content of an entry can be
 * read until the next entry is requested.
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  { refusesDevices = false }: ReadTarOptions = {},
): AsyncGenerator<TarEntry & { content: AsyncIterable<Buffer> }> {
  const source = new Source(chunks)
  let over: TarAttributes = {}
  while (true) {
    const header = decodeHeader(await source.bytes(blockBytes))
    if (!header) return source.drain()
    const { kind } = header
    if (kind === 'LongPath') over.path = await source.name(header.size)
    else if (kind === 'LongTarget') over.target = await source.name(header.size)
    else if (kind === 'Attributes') Object.assign(over, readAttributes(await source.record(header.size)))
    else if (kind === 'CommonAttributes') await source.record(header.size)
    else {
      const { mode, mtime } = header
      const { path = header.path, target = header.target, size = header.size } = over
      const entry = { path, target, mode, mtime }
      over = {}
      if (kind === 'File') {
        const content = source.content(size)
        yield { ...entry, type: 'File', size, content }
        for await (const _ of content);
        await source.padding(size)
      } else if (kind !== 'Device' && kind !== 'Pipe')
        yield { ...entry, type: kind, size: 0, content: source.content(0) }
      else if (refusesDevices) throw new Error(`Cannot unpack "${path.toString()}": it is a device or a pipe`)
    }
  }
}

/** Reads a given number of bytes from chunks of any size. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async bytes(count: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.content(count)) parts.push(part)
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  async *content(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0) await this.#next()
      const part = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(part.length)
      left -= part.length
      yield part
    }
  }

  async padding(size: number): Promise<void> {
    await this.bytes((blockBytes - (size % blockBytes)) % blockBytes)
  }

  /** Reads a record that belongs to the next entry. */
  async record(size: number): Promise<Buffer> {
    if (size > maxNameBytes) throw new Error(`Cannot unpack the folder: it has a name of ${size} bytes`)
    const bytes = await this.bytes(size)
    await this.padding(size)
    return bytes
  }

  /** Reads a name that has a record of its own. */
  async name(size: number): Promise<Buffer> {
    const bytes = await this.record(size)
    const end = bytes.indexOf(0)
    return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end))
  }

  /** Reads the data after the end, which mean nothing, so that the sender is not blocked. */
  async drain(): Promise<void> {
    while (!(await this.#chunks.next()).done);
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw new Error('Cannot unpack the folder: the data are incomplete')
    this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
}
