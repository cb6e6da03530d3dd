import { isUtf8 } from 'node:buffer'
import type { ComputerFiles, FileInfo } from '../../../drivers/driver.ts'
import type { CarrelError } from '../../../errors.ts'

interface Options {
  /** Maximum number of entries, > 0. */
  limit: number
  /** Approximate maximum for the bytes of paths, names and targets together. */
  maxBytes: number
  /** The page ends after this time, but has at least one entry. */
  maxMs: number
  /** The bytes of a path relative to the directory: the page begins after it. */
  after?: Buffer | undefined
  /** As in `ListOptions`. */
  beforeLarge?: () => Promise<void>
}

interface TreePage {
  entries: FileInfo[]
  /** The `after` of the next page; undefined on the last one. */
  next?: Buffer
}

/**
 * Returns a page of everything below a directory, in the order of the bytes of paths. Links are not followed. What is
 * in a directory whose name is not UTF-8, or whose path is too long for the kernel, is left out.
 */
export async function listTree(files: ComputerFiles, directory: string, options: Options): Promise<TreePage> {
  const { limit, maxBytes, maxMs, after } = options
  const end = performance.now() + maxMs
  const entries: FileInfo[] = []
  let bytes = 0
  let last: string | undefined
  for await (const { info, relative } of new Walk(files, options).below(directory, '', after?.toString('latin1'))) {
    const isFull = entries.length >= limit || bytes >= maxBytes || performance.now() >= end
    if (isFull && last !== undefined) return { entries, next: Buffer.from(last, 'latin1') }
    bytes += entryBytes + 2 * Buffer.byteLength(info.path) + (info.target?.length ?? 0)
    entries.push(info)
    last = relative
  }
  return { entries }
}

/** An entry, with its path relative to the top as a byte string: one character for each byte. */
interface Found {
  info: FileInfo
  relative: string
}

class Walk {
  readonly #files: ComputerFiles
  readonly #options: Options

  constructor(files: ComputerFiles, options: Options) {
    this.#files = files
    this.#options = options
  }

  /**
   * Yields what is below a directory after a relative path. What is in `a` comes after `a-b`, because a slash is greater
   * than a hyphen: directories wait until the names that are less have passed. Those that wait begin with one another.
   */
  async *below(directory: string, prefix: string, after: string | undefined): AsyncGenerator<Found> {
    const [first, rest] = splitFirst(after)
    const waiting = first === undefined ? [] : await this.#stillToCome(directory, first, rest === undefined)
    if (first !== undefined && rest !== undefined) yield* this.#inside(directory, prefix, first, rest)
    const start = first === undefined ? undefined : rest === undefined ? first : `${first}/`
    for await (const info of this.#entries(directory, start)) {
      const name = bytesOf(info)
      while (waiting.length > 0 && `${waiting.at(-1)}/` < name)
        yield* this.#inside(directory, prefix, waiting.pop()!, undefined)
      yield { info, relative: prefix + name }
      if (info.type === 'directory') waiting.push(name)
    }
    while (waiting.length > 0) yield* this.#inside(directory, prefix, waiting.pop()!, undefined)
  }

  async *#inside(directory: string, prefix: string, name: string, after: string | undefined): AsyncGenerator<Found> {
    const bytes = Buffer.from(name, 'latin1')
    if (!isUtf8(bytes)) return
    try {
      yield* this.below(`${directory}/${bytes.toString()}`, `${prefix}${name}/`, after)
    } catch (error) {
      // It was removed or replaced meanwhile, or its path is too long.
      const { code } = error as Partial<CarrelError>
      if (code !== 'not_found' && code !== 'invalid_request') throw error
    }
  }

  async *#entries(directory: string, start: string | undefined): AsyncGenerator<FileInfo> {
    const { limit, maxBytes, beforeLarge } = this.#options
    let after: Buffer | undefined = start === undefined ? undefined : Buffer.from(start, 'latin1')
    do {
      const page = await this.#files.list(directory, {
        limit: limit + 1,
        maxBytes,
        after,
        ...(beforeLarge ? { beforeLarge } : {}),
      })
      yield* page.entries
      after = page.next
    } while (after)
  }

  /** Returns the directories that come before a name, while what is in them comes after it. */
  async #stillToCome(directory: string, name: string, withItself: boolean): Promise<string[]> {
    const found: string[] = []
    for (let length = 1; length <= name.length; length++) {
      const isItself = length === name.length
      if (isItself ? !withItself : name[length]! >= '/') continue
      const bytes = Buffer.from(name.slice(0, length), 'latin1')
      if (isUtf8(bytes) && (await this.#isDirectory(`${directory}/${bytes.toString()}`)))
        found.push(name.slice(0, length))
    }
    return found
  }

  async #isDirectory(path: string): Promise<boolean> {
    const info = await this.#files.stat(path, { followLinks: false }).catch(() => undefined)
    return info?.type === 'directory'
  }
}

function splitFirst(path: string | undefined): [string | undefined, string | undefined] {
  const slash = path?.indexOf('/') ?? -1
  return slash < 0 ? [path, undefined] : [path!.slice(0, slash), path!.slice(slash + 1)]
}

function bytesOf({ name, nameBytes }: FileInfo): string {
  return (nameBytes ?? Buffer.from(name)).toString('latin1')
}

/** Bytes that count for an entry besides its texts. */
const entryBytes = 100
