import { Readable } from 'node:stream'
import { CarrelError } from '../../errors.ts'
import type {
  ComputerFiles,
  FileChange,
  FileInfo,
  FilePage,
  ListOptions,
  OpenFile,
  SearchQuery,
  SearchResult,
  StagedFile,
  WatchOptions,
} from '../driver.ts'
import { checkOnDisk, checkPath, checkWithin, quote, splitPath } from '../files/computer-path.ts'
import { checkQuery } from '../files/check-query.ts'
import { fileError } from '../files/file-error.ts'
import { toBytes, toText } from './file-system/byte-strings.ts'
import { describe } from './file-system/file-info.ts'
import type { FileSystem, Place } from './file-system/file-system.ts'
import { FileSystemError } from './file-system/file-system-error.ts'
import { listDirectory } from './file-system/list-directory.ts'
import { DirectoryNode, FileNode } from './file-system/nodes.ts'
import { searchTree } from './file-system/search-tree.ts'
import { watchTree } from './file-system/tree-watch.ts'
import type { MemoryComputer } from './memory-computer.ts'

const owner = { uid: 1000, gid: 1000 }
const newFile = { ...owner, mode: 0o644 }
const newDirectory = { ...owner, mode: 0o755 }

/** The files of a computer, accessed from outside. `computer` throws when the computer does not exist. */
export class MemoryFiles implements ComputerFiles {
  readonly #computer: () => MemoryComputer
  /** The directory that the files are limited to. */
  readonly #within: string | undefined

  constructor(computer: () => MemoryComputer, within?: string) {
    this.#computer = computer
    this.#within = within
  }

  below(directory: string): ComputerFiles {
    return new MemoryFiles(this.#computer, directory)
  }

  stat(path: string, { followLinks = true }: { followLinks?: boolean } = {}): Promise<FileInfo> {
    const reach = followLinks ? followed : { isEntry: false, follow: false }
    return this.#use(
      'stat',
      path,
      (files) => describe(files.find(toBytes(path), followLinks), path.split('/').findLast(Boolean) ?? '/', path),
      reach,
    )
  }

  list(path: string, options: ListOptions): Promise<FilePage> {
    return this.#use('list', path, async (files) => {
      const node = files.find(toBytes(path.replace(/\/+$/, '') || '/'))
      if (node.kind !== 'directory') throw refusal('list', path, 'it is not a directory')
      return listDirectory(node, path, options)
    })
  }

  async read(path: string, range?: { start: number; end: number }): Promise<{ info: FileInfo; stream: Readable }> {
    const { node, info } = await this.#openForReading(path)
    const bytes = Buffer.from(node.bytes.subarray(range?.start ?? 0, range?.end))
    return { info, stream: Readable.from(bytes.length > 0 ? pieces(bytes) : [], { objectMode: false }) }
  }

  async open(path: string): Promise<OpenFile> {
    const { node, info } = await this.#openForReading(path)
    return {
      info,
      read: async (into, position) => {
        const bytes = node.bytes.subarray(position, position + into.length)
        into.set(bytes)
        return bytes.length
      },
      close: () => {},
    }
  }

  async write(
    path: string,
    data: Readable | Uint8Array,
    { mode, maxBytes }: { mode?: number; maxBytes: number },
  ): Promise<{ sizeBytes: number }> {
    await this.#use('write', path, (files) => checkPlace(files, path))
    const bytes = await bytesOf(path, data, maxBytes)
    await this.#use('write', path, (files) => put(files, path, bytes, mode))
    return { sizeBytes: bytes.length }
  }

  async stage(path: string | undefined, data: Readable, { maxBytes }: { maxBytes: number }): Promise<StagedFile> {
    const near = path ?? '/tmp/upload'
    await this.#use('write', near, (files) => path !== undefined && checkPlace(files, path))
    const bytes = await bytesOf(near, data, maxBytes)
    return {
      sizeBytes: bytes.length,
      commit: (to, mode) => this.#use('write', to, (files) => put(files, to, bytes, mode)),
      read: () => Readable.from(pieces(bytes), { objectMode: false }),
      close: async () => {},
    }
  }

  async writeMany(files: { path: string; data: Uint8Array; mode?: number }[]): Promise<number[]> {
    for (const { path } of files) await this.#use('write', path, (all) => checkPlace(all, path))
    const { files: all } = this.#computer()
    const needed = files.reduce((sum, { data }) => sum + data.length, 0)
    if (all.usedBytes + needed > all.limitBytes) throw fileError('write', files[0]!.path, new FileSystemError('EDQUOT'))
    for (const { path, data, mode } of files)
      await this.#use('write', path, () => put(all, path, Buffer.from(data), mode))
    return files.map(({ data }) => data.length)
  }

  writeRange(path: string, data: Uint8Array, { offset }: { offset: number }): Promise<void> {
    return this.#use('write', path, (files) => {
      const existing = placeOf(files, path)?.node
      if (existing && existing.kind !== 'file')
        throw existing.kind === 'directory'
          ? new FileSystemError('EISDIR')
          : refusal('write', path, 'it is not a regular file')
      if (!existing) put(files, path, Buffer.alloc(0), undefined)
      const node = files.find(toBytes(path)) as FileNode
      if (data.length > 0) files.write(node, data, offset)
    })
  }

  makeDirectory(
    path: string,
    { mode = 0o755, mustBeNew = false }: { mode?: number | undefined; mustBeNew?: boolean } = {},
  ): Promise<void> {
    return this.#use(
      'create directory',
      path,
      (files) => {
        if (mustBeNew) {
          const { directory, name, node } = files.place(trimmed(path), false)
          if (node) throw new FileSystemError('EEXIST')
          files.add(directory, name, new DirectoryNode({ ...newDirectory, mode }))
          return
        }
        const existing = files.lookUp(toBytes(path.replace(/\/+$/, '')))
        if (existing && existing.kind !== 'directory')
          throw new CarrelError('already_exists', `Cannot create directory ${quote(path)}: a file is there`, {
            details: { path },
          })
        const made = files.makeDirectories(toBytes(path), newDirectory)
        if (!existing) made.mode = mode
      },
      mustBeNew ? entry : followed,
    )
  }

  remove(path: string, { recursive }: { recursive: boolean }): Promise<void> {
    splitPath(path)
    return this.#use('remove', path, (files) => files.remove(files.find(trimmed(path), false), recursive), entry)
  }

  move(from: string, to: string): Promise<void> {
    checkPath(to)
    checkOnDisk(to)
    splitPath(from)
    const target = splitPath(to)
    return this.#use(
      'move',
      from,
      (files) => {
        this.#assertWithin(files, to, { isEntry: true, follow: placeOf(files, to) === undefined })
        const node = files.find(trimmed(from), false)
        const directory = files.makeDirectories(toBytes(target.directory), newDirectory)
        files.rename(node, directory, toBytes(target.name))
      },
      entry,
    )
  }

  search(path: string, query: SearchQuery): Promise<SearchResult> {
    checkQuery(query)
    return this.#use('search', path, (files) => searchTree(files.find(toBytes(path)), path, query))
  }

  async *watch(path: string, options: WatchOptions): AsyncIterable<FileChange> {
    checkPath(path)
    checkOnDisk(path)
    const { files, destroyed } = this.#computer()
    const signal = AbortSignal.any([options.signal, destroyed.signal])
    if (signal.aborted) return
    try {
      yield* watchTree(files, files.directory(toBytes(path)), path, { ...options, signal })
    } catch (error) {
      throw fileError('watch', path, error)
    }
  }

  #openForReading(path: string): Promise<{ node: FileNode; info: FileInfo }> {
    return this.#use('read', path, (files) => {
      const node = files.find(toBytes(path))
      if (node.kind !== 'file')
        throw refusal('read', path, node.kind === 'directory' ? 'it is a directory' : 'it is not a regular file')
      return { node, info: describe(node, path.split('/').at(-1)!, path) }
    })
  }

  async #use<T>(
    doing: string,
    path: string,
    work: (files: FileSystem) => Promise<T> | T,
    reach: Reach = followed,
  ): Promise<T> {
    checkPath(path)
    checkOnDisk(path)
    const { files } = this.#computer()
    try {
      this.#assertWithin(files, path, reach)
      return await work(files)
    } catch (error) {
      throw fileError(doing, path, error)
    }
  }

  #assertWithin(files: FileSystem, path: string, { isEntry, follow }: Reach): void {
    if (this.#within === undefined) return
    const place = follow ? nearestPlace(files, path) : files.place(trimmed(path), false)
    checkWithin(toText(locationOf(place)), this.#within, { isEntry })
  }
}

/** Returns the place of a path, or of the last directory above it that exists. */
function nearestPlace(files: FileSystem, path: string): Place {
  return placeOf(files, path) ?? nearestPlace(files, splitPath(path).directory)
}

function locationOf({ directory, name, node }: Place): string {
  if (node) return node.path
  return directory.path === '/' ? `/${name}` : `${directory.path}/${name}`
}

/** How an operation reaches what its path names. */
interface Reach {
  /** Whether it changes the name itself, so that the path cannot be the directory of `below`. */
  isEntry: boolean
  /** Whether it follows a link at the end of the path. */
  follow: boolean
}

const followed: Reach = { isEntry: false, follow: true }
const entry: Reach = { isEntry: true, follow: false }

/** Throws what a write to a path would throw, before the data is read. */
function checkPlace(files: FileSystem, path: string): void {
  splitPath(path)
  const place = placeOf(files, path)
  if (place?.node?.kind === 'directory') throw new FileSystemError('EISDIR')
  if (place?.node?.kind === 'special') throw refusal('write', path, 'it is not a regular file')
}

/** Returns the place of a path; undefined when a directory above it does not exist. */
function placeOf(files: FileSystem, path: string): Place | undefined {
  try {
    return files.place(toBytes(path))
  } catch (error) {
    if (error instanceof FileSystemError && error.code === 'ENOENT') return undefined
    throw error
  }
}

function put(files: FileSystem, path: string, bytes: Buffer, mode: number | undefined): void {
  checkPlace(files, path)
  const { directory: parent, name: ownName } = splitPath(path)
  if (!placeOf(files, path)) files.makeDirectories(toBytes(parent), newDirectory)
  const { directory, name, node } = placeOf(files, path) ?? files.place(`${toBytes(parent)}/${toBytes(ownName)}`)
  if (node?.kind === 'file') {
    files.replace(node, bytes)
    if (mode !== undefined) node.mode = mode
    return
  }
  const made = new FileNode({ ...newFile, mode: mode ?? newFile.mode })
  made.set(bytes)
  files.add(directory, name, made)
}

function trimmed(path: string): string {
  return toBytes(path.replace(/\/+$/, ''))
}

async function bytesOf(path: string, data: Readable | Uint8Array, maxBytes: number): Promise<Buffer> {
  if (data instanceof Readable) return bounded(path, data, maxBytes)
  if (data.length > maxBytes) throw tooLarge(path, maxBytes)
  return Buffer.from(data)
}

async function bounded(path: string, data: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of data as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(path, maxBytes)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

function tooLarge(path: string, maxBytes: number): CarrelError {
  return new CarrelError('too_large', `Cannot write ${quote(path)}: it is larger than ${maxBytes} bytes`, {
    details: { path, limit: maxBytes },
  })
}

function refusal(doing: string, path: string, why: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot ${doing} ${quote(path)}: ${why}`, { details: { path } })
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const pieceBytes = 256 * 1024
