import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  statfsSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { join, posix } from 'node:path'
import { limits } from '../../../../config/limits.ts'
import { readTar } from '../../../../tar/read-tar.ts'
import type { TarEntry } from '../../../../tar/tar-records.ts'
import { TaskProblem } from '../formats/task-problem.ts'

/** Bounds of an archive. */
export interface UnpackBounds {
  maxBytes: number
  maxEntries: number
  /** Disk space that stays free. */
  reserveBytes: number
}

/**
 * Unpacks a tar stream of a stranger into an empty folder. Files and folders belong to this process and have no special
 * bits. A relative link that stays inside is created, last, so that nothing is written through one. Throws a
 * `TaskProblem` for a path that leads out or is given twice, a device, and what is over the bounds, as it is noticed.
 */
export async function unpack(target: string, tar: AsyncIterable<Uint8Array>, bounds: UnpackBounds): Promise<void> {
  const tree = new Tree(target, bounds)
  try {
    for await (const entry of readTar(tree.counted(tar), { refusesDevices: true })) {
      const path = pathOf(entry.path)
      if (path === '') continue
      if (entry.type === 'Directory') tree.addFolder(path)
      else if (entry.type === 'SymbolicLink') tree.addLink(path, entry.target?.toString() ?? '')
      else if (entry.type === 'Link') tree.addCopy(path, pathOf(entry.target ?? Buffer.alloc(0)))
      else await tree.addFile(path, entry)
    }
  } catch (error) {
    throw refusalOf(error)
  }
  tree.createLinks()
}

/** Returns the path of an entry in its archive, without `./`. Throws a `TaskProblem` for one that leads out of it. */
export function pathOf(bytes: Buffer): string {
  const path = bytes.toString()
  const shown = JSON.stringify(path.slice(0, 200))
  if (bytes.length > limits.datasetPathBytes)
    throw new TaskProblem(`the archive has a path of ${bytes.length} bytes: ${shown}`)
  if (!Buffer.from(path).equals(bytes)) throw new TaskProblem(`the archive has a path that is not UTF-8: ${shown}`)
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0'))
    throw new TaskProblem(`the archive has a path that leads out of it: ${shown}`)
  if (parts.some((part) => Buffer.byteLength(part) > 255))
    throw new TaskProblem(`the archive has a name of more than 255 bytes: ${shown}`)
  return parts.join('/')
}

/** What is unpacked into a folder, in the order in which it comes. */
export class Tree {
  readonly #root: string
  readonly #bounds: UnpackBounds
  readonly #folders = new Set<string>()
  readonly #links = new Map<string, string>()
  #bytes = 0
  #entries = 0
  #checkedAtBytes = 0

  constructor(root: string, bounds: UnpackBounds) {
    this.#root = root
    this.#bounds = bounds
  }

  /** Counts bytes as they are unpacked. */
  async *counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#count(chunk.length)
      yield chunk
    }
  }

  addFolder(path: string): void {
    this.#makeFolder(path)
  }

  async addFile(
    path: string,
    { mode, content }: Pick<TarEntry, 'mode'> & { content: AsyncIterable<Buffer> },
  ): Promise<void> {
    const file = openSync(this.#placeOf(path), createNew, 0o600)
    try {
      for await (const chunk of content) for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at)
    } finally {
      closeSync(file)
    }
    chmodSync(join(this.#root, path), modeOf(mode))
  }

  /** Adds a second name of a file, as a copy. */
  addCopy(path: string, of: string): void {
    const from = join(this.#root, of)
    const stats = of === '' || this.#links.has(of) ? undefined : lstatSync(from, { throwIfNoEntry: false })
    if (!stats?.isFile())
      throw new TaskProblem(`the archive has a link to what is not a file before it: ${JSON.stringify(path)}`)
    this.#count(stats.size)
    copyFileSync(from, this.#placeOf(path), constants.COPYFILE_EXCL)
    chmodSync(join(this.#root, path), modeOf(stats.mode))
  }

  addLink(path: string, target: string): void {
    const leadsTo = posix.normalize(posix.join(posix.dirname(path), target))
    if (
      target === '' ||
      target.startsWith('/') ||
      leadsTo === '..' ||
      leadsTo.startsWith('../') ||
      target.includes('\0')
    )
      throw new TaskProblem(`the archive has a link that leads out of it: ${JSON.stringify(path)}`)
    this.#placeOf(path)
    this.#links.set(path, target)
  }

  createLinks(): void {
    for (const [path, target] of this.#links) symlinkSync(target, join(this.#root, path))
  }

  /** Makes room for a new entry, and returns its full path. */
  #placeOf(path: string): string {
    this.#countEntry()
    this.#makeFolder(posix.dirname(path))
    const place = join(this.#root, path)
    if (this.#links.has(path) || lstatSync(place, { throwIfNoEntry: false }))
      throw new TaskProblem(`the archive has two entries for ${JSON.stringify(path)}`)
    return place
  }

  #makeFolder(path: string): void {
    if (path === '.' || path === '' || this.#folders.has(path)) return
    this.#makeFolder(posix.dirname(path))
    const place = join(this.#root, path)
    if (this.#links.has(path) || lstatSync(place, { throwIfNoEntry: false }))
      throw new TaskProblem(`the archive has two entries for ${JSON.stringify(path)}`)
    this.#countEntry()
    mkdirSync(place, 0o755)
    this.#folders.add(path)
  }

  #countEntry(): void {
    this.#entries += 1
    if (this.#entries > this.#bounds.maxEntries)
      throw new TaskProblem(`the archive has more than ${this.#bounds.maxEntries} files`)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#bounds.maxBytes)
      throw new TaskProblem(`the archive unpacks to more than ${this.#bounds.maxBytes} bytes`)
    if (this.#bytes - this.#checkedAtBytes < checkBytes) return
    this.#checkedAtBytes = this.#bytes
    const { bavail, bsize } = statfsSync(this.#root)
    if (bavail * bsize < this.#bounds.reserveBytes)
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  }
}

/** How much is written between two looks at the free space. */
const checkBytes = 64 * 1024 ** 2
const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

function modeOf(mode: number): number {
  return (mode & 0o100) === 0 ? 0o444 : 0o555
}

/** Turns an error of the tar reader or of decompression into a refusal of the archive. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TaskProblem) return error
  const { code } = error as NodeJS.ErrnoException
  if (
    code === undefined ||
    code.startsWith('Z_') ||
    code === 'ERR_STREAM_PREMATURE_CLOSE' ||
    code === 'ERR_INVALID_ARG_VALUE'
  )
    return new TaskProblem(`the archive cannot be read: ${error.message.replace(/^Cannot unpack the folder: /, '')}`)
  return error
}
