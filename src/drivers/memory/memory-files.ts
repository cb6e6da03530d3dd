import { Readable } from 'node:stream'
import { CarrelError } from '../../errors.ts'
import type {
  ComputerFiles,
  FileChange,
  FileInfo,
  FilePage,
  ListOptions,
  OpenFile,
  StagedFile,
  WatchOptions,
} from '../driver.ts'
import { checkOnDisk, checkPath, quote, splitPath } from '../files/computer-path.ts'
import { fileError } from '../files/file-error.ts'
import { toBytes } from './file-system/byte-strings.ts'
import { describe } from './file-system/file-info.ts'
import type { FileSystem, Place } from './file-system/file-system.ts'
import { FileSystemError } from './file-system/file-system-error.ts'
import { listDirectory } from './file-system/list-directory.ts'
import { FileNode } from './file-system/nodes.ts'
import { watchTree } from './file-system/tree-watch.ts'
import type { MemoryComputer } from './memory-computer.ts'

const owner = { uid: 1000, gid: 1000 }
const newFile = { ...owner, mode: 0o644 }
const newDirectory = { ...owner, mode: 0o755 }

/** The files of a computer, accessed from outside. `computer` throws when the computer does not exist. */
export class MemoryFiles implements ComputerFiles {
  readonly #computer: () => MemoryComputer

  constructor(computer: () => MemoryComputer) {
    this.#computer = computer
  }

  stat(path: string): Promise<FileInfo> {
    return this.#use('stat', path, (files) =>
      describe(files.find(toBytes(path)), path.split('/').findLast(Boolean) ?? '/', path),
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

  makeDirectory(path: string): Promise<void> {
    return this.#use('create directory', path, (files) => {
      const existing = files.lookUp(toBytes(path.replace(/\/+$/, '')))
      if (existing && existing.kind !== 'directory')
        throw new CarrelError('already_exists', `Cannot create directory ${quote(path)}: a file is there`, {
          details: { path },
        })
      files.makeDirectories(toBytes(path), newDirectory)
    })
  }

  remove(path: string, { recursive }: { recursive: boolean }): Promise<void> {
    splitPath(path)
    return this.#use('remove', path, (files) => files.remove(files.find(trimmed(path), false), recursive))
  }

  move(from: string, to: string): Promise<void> {
    checkPath(to)
    checkOnDisk(to)
    splitPath(from)
    const target = splitPath(to)
    return this.#use('move', from, (files) => {
      const node = files.find(trimmed(from), false)
      const directory = files.makeDirectories(toBytes(target.directory), newDirectory)
      files.rename(node, directory, toBytes(target.name))
    })
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

  async #use<T>(doing: string, path: string, work: (files: FileSystem) => Promise<T> | T): Promise<T> {
    checkPath(path)
    checkOnDisk(path)
    const { files } = this.#computer()
    try {
      return await work(files)
    } catch (error) {
      throw fileError(doing, path, error)
    }
  }
}

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
