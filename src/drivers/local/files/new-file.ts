import { constants } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { call, callAsync, type SystemError } from '../system/libc.ts'
import { entryPath } from './rooted.ts'
import { temporaryName } from './temporary-name.ts'

/**
 * A new file without a path. It has no name either, so that nothing is left when this program is killed. On file
 * systems without unnamed files (overlays before Linux 6.1) it has a temporary name.
 */
export class NewFile {
  readonly handle: FileHandle
  readonly #directoryFd: number
  #temporary: string | undefined
  #undo: (() => Promise<void>) | undefined

  private constructor(handle: FileHandle, directoryFd: number, temporary?: string) {
    this.handle = handle
    this.#directoryFd = directoryFd
    this.#temporary = temporary
  }

  /** Creates a file in an open directory, which the caller keeps open. */
  static async open(directoryFd: number): Promise<NewFile> {
    try {
      return new NewFile(await open(entryPath(directoryFd, '.'), O_TMPFILE | constants.O_RDWR, 0o600), directoryFd)
    } catch (error) {
      if (!withoutUnnamedFiles.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
    const temporary = temporaryName()
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    return new NewFile(await open(entryPath(directoryFd, temporary), flags, 0o600), directoryFd, temporary)
  }

  /**
   * Gives the file a name in its directory, or in another of the same file system. Replaces an existing file
   * atomically.
   */
  async commit(name: string, directoryFd: number = this.#directoryFd): Promise<void> {
    if (this.#temporary === undefined) {
      if (this.#link(name, directoryFd)) return
      // A link cannot replace a file, so the new file has a temporary name for some microseconds.
      this.#temporary = temporaryName()
      this.#link(this.#temporary)
    }
    await rename(entryPath(this.#directoryFd, this.#temporary), entryPath(directoryFd, name))
    this.#temporary = undefined
  }

  /** Gives the file a name, and keeps the file that had it, so that `swapBack` can undo this until `close`. */
  async swap(name: string): Promise<void> {
    this.#undo = () => unlink(entryPath(this.#directoryFd, name))
    if (this.#temporary === undefined) {
      if (this.#link(name)) return
      this.#temporary = temporaryName()
      this.#link(this.#temporary)
    }
    const exchange = () => this.#rename(name, RENAME_EXCHANGE)
    try {
      await exchange()
      this.#undo = exchange
    } catch (error) {
      if ((error as SystemError).code !== 'ENOENT') throw error
      await this.#rename(name, RENAME_NOREPLACE)
      this.#temporary = undefined
    }
  }

  /** Undoes `swap`. */
  async swapBack(): Promise<void> {
    await this.#undo?.()
  }

  /** Closes the file. One without a name is deleted. */
  async close(): Promise<void> {
    if (this.#temporary !== undefined) await unlink(entryPath(this.#directoryFd, this.#temporary)).catch(() => {})
    await this.handle.close()
  }

  async #rename(name: string, flags: number): Promise<void> {
    await callAsync('renameat2', this.#directoryFd, this.#temporary, this.#directoryFd, name, flags)
  }

  /** Returns false when the name exists. */
  #link(name: string, directoryFd: number = this.#directoryFd): boolean {
    try {
      call('linkat', AT_FDCWD, `/proc/self/fd/${this.handle.fd}`, directoryFd, name, AT_SYMLINK_FOLLOW)
      return true
    } catch (error) {
      if ((error as SystemError).code === 'EEXIST') return false
      throw error
    }
  }
}

/** Error codes of file systems without unnamed files. */
const withoutUnnamedFiles = new Set(['ENOTSUP', 'EISDIR'])
const O_TMPFILE = 0o20_000_000 | constants.O_DIRECTORY
const AT_FDCWD = -100
const AT_SYMLINK_FOLLOW = 0x400
const RENAME_NOREPLACE = 1
const RENAME_EXCHANGE = 2
