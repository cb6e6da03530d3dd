import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import mime from 'mime'

/** A file as it is sent. */
export interface WebFile {
  type: string
  bytes: Buffer
  /** The same, compressed; undefined where that would not make it smaller. */
  brotli: Buffer | undefined
}

/** The files of the page as they were built, each read once and kept: their names change with their content. */
export class WebFiles {
  readonly #directory: string
  readonly #assets = new Map<string, Promise<WebFile>>()

  /** @param directory where the page is built to */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Returns the page itself; undefined where it is not built. */
  async page(): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#directory, 'index.html'))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Returns a file that the page loads; undefined when there is none of that name. */
  async asset(name: string): Promise<WebFile | undefined> {
    if (!namePattern.test(name)) return undefined
    try {
      let asset = this.#assets.get(name)
      if (!asset) this.#assets.set(name, (asset = read(join(this.#directory, 'assets', name), name)))
      return await asset
    } catch (error) {
      // Names that do not exist take no memory.
      this.#assets.delete(name)
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

async function read(path: string, name: string): Promise<WebFile> {
  const bytes = await readFile(path)
  const type = mime.getType(name) ?? 'application/octet-stream'
  const compressed = await compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
  return { type, bytes, brotli: compressed.length < bytes.length * 0.9 ? compressed : undefined }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR'
}

const compress = promisify(brotliCompress)
/** One name in the folder of the files: no other folder, and no hidden file. */
const namePattern = /^[\w-][\w.-]{0,199}$/
