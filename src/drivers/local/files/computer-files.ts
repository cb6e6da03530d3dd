import { closeSync, constants, createReadStream, fstatSync, read } from 'node:fs'
import { rename, rmdir, unlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
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
} from '../../driver.ts'
import { CarrelError } from '../../../errors.ts'
import { checkQuery } from '../../files/check-query.ts'
import { fileError } from '../../files/file-error.ts'
import type { Searches } from '../search/searches.ts'
import { describe, entryInfo } from './file-info.ts'
import { listDirectory } from './list-directory.ts'
import { makeDirectories, makeNewDirectory } from './make-directories.ts'
import { checkOnDisk, checkPath, quote, splitPath } from '../../files/computer-path.ts'
import { DiskRoot, O_PATH, type RootedDirectory } from './rooted.ts'
import { removeTree } from './tree-removals.ts'
import { watchDirectory } from './watch.ts'
import { writeManyIn } from './write-many.ts'
import { writeRangeIn } from './write-range.ts'
import { commitFileIn, stageFileIn, writeFileIn, type Owner } from './write.ts'

interface Options {
  /** The computer's id. */
  id: string
  /** Mounts the root if necessary, and returns its host path. */
  root: () => Promise<string>
  /** Host ids of new files. */
  owner: Owner
  /** Throws when the host has no space for more; called before everything that is written. */
  assertSpace: (path: string) => void
  searches: Searches
  /** The directory that the files are limited to. */
  within?: string
}

/** The files of one computer, accessed from the host. */
export class LocalComputerFiles implements ComputerFiles {
  readonly #options: Options
  readonly #closing: AbortController

  constructor(options: Options, closing = new AbortController()) {
    this.#options = options
    this.#closing = closing
  }

  /** Ends all watches and removals, which would keep the root from being unmounted. */
  close(): void {
    this.#closing.abort()
  }

  below(directory: string): ComputerFiles {
    return new LocalComputerFiles({ ...this.#options, within: directory }, this.#closing)
  }

  stat(path: string, { followLinks = true }: { followLinks?: boolean } = {}): Promise<FileInfo> {
    return this.#use('stat', path, async (root) => {
      const fd = root.open(path, followLinks ? O_PATH : O_PATH | constants.O_NOFOLLOW)
      try {
        return describe(fstatSync(fd), path.split('/').findLast(Boolean) ?? '/', path)
      } finally {
        closeSync(fd)
      }
    })
  }

  list(path: string, options: ListOptions): Promise<FilePage> {
    return this.#use('list', path, async (root) => {
      const page = root.inDirectory(path, (fd) => listDirectory(fd, path, this.#options.id, options))
      return page.catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTDIR' || !exists(root, path)) throw error
        throw new CarrelError('invalid_request', `Cannot list ${quote(path)}: it is not a directory`, {
          details: { path },
          cause: error,
        })
      })
    })
  }

  async read(path: string, range?: { start: number; end: number }): Promise<{ info: FileInfo; stream: Readable }> {
    const { fd, info } = await this.#openForReading(path)
    const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? info.sizeBytes, info.sizeBytes) }
    if (start >= end) {
      closeSync(fd)
      return { info, stream: Readable.from([], { objectMode: false }) }
    }
    return { info, stream: createReadStream('', { fd, start, end: end - 1, highWaterMark: readBytes }) }
  }

  async open(path: string): Promise<OpenFile> {
    const { fd, info } = await this.#openForReading(path)
    return {
      info,
      read: async (buffer, position) => (await readInto(fd, buffer, 0, buffer.length, position)).bytesRead,
      close: () => closeSync(fd),
    }
  }

  write(
    path: string,
    data: Readable | Uint8Array,
    options: { mode?: number; maxBytes: number; ownsChunks?: boolean },
  ): Promise<{ sizeBytes: number }> {
    const { owner, assertSpace } = this.#options
    return this.#use('write', path, async (root) => {
      assertSpace(path)
      return { sizeBytes: await writeFileIn(root, path, data, { ...options, owner, assertSpace }) }
    })
  }

  async stage(
    path: string | undefined,
    data: Readable,
    options: { maxBytes: number; ownsChunks?: boolean },
  ): Promise<StagedFile> {
    const expectedPath = path ?? '/tmp/upload'
    checkPath(expectedPath)
    checkOnDisk(expectedPath)
    const { owner, assertSpace } = this.#options
    assertSpace(expectedPath)
    const root = await this.#root()
    try {
      const { file, name, sizeBytes, close } = await stageFileIn(root, expectedPath, data, {
        ...options,
        owner,
        assertSpace,
      })
      const commit = async (to: string, mode: number | undefined) => {
        if (to !== path) return commitFileIn(root, file, to, { owner, mode })
        if (mode !== undefined) await file.handle.chmod(mode)
        await file.commit(name)
      }
      return {
        sizeBytes,
        commit: async (to, mode) => {
          checkPath(to)
          checkOnDisk(to)
          await commit(to, mode).catch((error: unknown) => {
            throw fileError('write', to, error)
          })
        },
        read: () => file.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: readBytes }),
        close: async () => {
          await close()
          root.close()
        },
      }
    } catch (error) {
      root.close()
      throw fileError('write', expectedPath, error)
    }
  }

  writeMany(files: { path: string; data: Uint8Array; mode?: number }[]): Promise<number[]> {
    for (const { path } of files) {
      checkPath(path)
      checkOnDisk(path)
    }
    const { owner, assertSpace } = this.#options
    return this.#use('write', files[0]?.path ?? '/', async (root) => {
      if (files[0]) assertSpace(files[0].path)
      return writeManyIn(root, files, owner)
    })
  }

  writeRange(path: string, data: Uint8Array, { offset }: { offset: number }): Promise<void> {
    const { owner, assertSpace } = this.#options
    return this.#use('write', path, async (root) => {
      assertSpace(path)
      await writeRangeIn(root, path, data, { offset, owner })
    })
  }

  makeDirectory(
    path: string,
    { mode = 0o755, mustBeNew = false }: { mode?: number | undefined; mustBeNew?: boolean } = {},
  ): Promise<void> {
    const { owner, assertSpace } = this.#options
    return this.#use('create directory', path, async (root) => {
      assertSpace(path)
      if (mustBeNew) return makeNewDirectory(root, path, { owner, mode })
      try {
        closeSync(await makeDirectories(root, path, { owner, mode }))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR' || !exists(root, path)) throw error
        throw new CarrelError('already_exists', `Cannot create directory ${quote(path)}: a file is there`, {
          details: { path },
          cause: error,
        })
      }
    })
  }

  remove(path: string, options: { recursive: boolean }): Promise<void> {
    const { directory, name } = splitPath(path)
    return this.#use('remove', path, (root) =>
      root.inDirectory(directory, async (fd) => {
        const host = root.entry(fd, name)
        const { type } = await entryInfo(fd, name, path)
        if (type !== 'directory') return unlink(host)
        if (!options.recursive) return rmdir(host)
        await removeTree(this.#options.id, { fd, name }, () => {
          if (this.#closing.signal.aborted)
            throw new CarrelError('unavailable', `Cannot remove ${quote(path)}: the server is stopping`)
          root.entry(fd, name)
          root.assertRemovable(fd, name)
        })
      }),
    )
  }

  move(from: string, to: string): Promise<void> {
    checkPath(to)
    checkOnDisk(to)
    const origin = splitPath(from)
    const target = splitPath(to)
    return this.#use('move', from, (root) =>
      root.inDirectory(origin.directory, async (fromFd) => {
        const toFd = await makeDirectories(root, target.directory, { owner: this.#options.owner })
        try {
          await rename(root.entry(fromFd, origin.name), root.entry(toFd, target.name))
        } finally {
          closeSync(toFd)
        }
      }),
    )
  }

  search(path: string, query: SearchQuery): Promise<SearchResult> {
    checkQuery(query)
    const { searches, within } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, ...(query.signal ? [query.signal] : [])])
    return this.#use('search', path, (root) => searches.search(root, path, { ...query, signal, top: within ?? '/' }))
  }

  async *watch(path: string, options: WatchOptions): AsyncIterable<FileChange> {
    checkPath(path)
    checkOnDisk(path)
    const root = await this.#root()
    try {
      yield* watchDirectory(root, path, { ...options, signal: AbortSignal.any([options.signal, this.#closing.signal]) })
    } catch (error) {
      throw fileError('watch', path, error)
    } finally {
      root.close()
    }
  }

  #openForReading(path: string): Promise<{ fd: number; info: FileInfo }> {
    return this.#use('read', path, async (root) => {
      const fd = root.open(path, constants.O_RDONLY)
      const stats = fstatSync(fd)
      if (stats.isFile()) return { fd, info: describe(stats, path.split('/').at(-1)!, path) }
      closeSync(fd)
      const what = stats.isDirectory() ? 'it is a directory' : 'it is not a regular file'
      throw new CarrelError('invalid_request', `Cannot read ${quote(path)}: ${what}`, { details: { path } })
    })
  }

  async #root(): Promise<DiskRoot> {
    return new DiskRoot(await this.#options.root(), this.#options.within)
  }

  async #use<T>(action: string, path: string, work: (root: DiskRoot) => Promise<T>): Promise<T> {
    checkPath(path)
    checkOnDisk(path)
    const root = await this.#root()
    try {
      return await work(root)
    } catch (error) {
      throw fileError(action, path, error)
    } finally {
      root.close()
    }
  }
}

const readInto = promisify(read)
const readBytes = 256 * 1024

/** Returns whether a path exists, without regard to a slash at its end. */
function exists(root: RootedDirectory, path: string): boolean {
  try {
    closeSync(root.open(path.replace(/\/+$/, ''), O_PATH))
    return true
  } catch {
    return false
  }
}
