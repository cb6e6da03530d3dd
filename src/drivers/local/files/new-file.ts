import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { call, callAsync, type SystemError } from '../system/libc.ts'
import { entryPath } from './rooted.ts'

/**
 * A file that is being written and has no place yet. It has no name either, so that nothing of it is left when this
 * program is killed; where the file system has no such files (overlays before Linux 6.1) it has a temporary one.
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

  /** In an open directory, which the caller keeps open. */
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

  /** Gives it its name, in its directory or another of the same file system; in one step also where another file has it. */
  async commit(name: string, directoryFd: number = this.#directoryFd): Promise<void> {
    if (this.#temporary === undefined) {
      if (this.#link(name, directoryFd)) return
      // A link cannot replace: for some microseconds it has another name.
      this.#temporary = temporaryName()
      this.#link(this.#temporary)
    }
    await rename(entryPath(this.#directoryFd, this.#temporary), entryPath(directoryFd, name))
    this.#temporary = undefined
  }

  /** Gives it its name, and keeps what had it, so that this can be undone until the file is closed. */
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

  /** After `swap`: what had the name has it again. */
  async swapBack(): Promise<void> {
    await this.#undo?.()
  }

  /** What has no place by now is gone. */
  async close(): Promise<void> {
    if (this.#temporary !== undefined) await unlink(entryPath(this.#directoryFd, this.#temporary)).catch(() => {})
    await this.handle.close()
  }

  async #rename(name: string, flags: number): Promise<void> {
    await callAsync('renameat2', this.#directoryFd, this.#temporary, this.#directoryFd, name, flags)
  }

  /** False when something has that name. */
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

/** Whether it is a name that a file can have for a moment before it has its own. */
export function isTemporaryName(name: string): boolean {
  return /^\.carrel-[0-9a-f]{16}$/.test(name)
}

function temporaryName(): string {
  return `.carrel-${randomBytes(8).toString('hex')}`
}

/** What a file system says that has none. */
const withoutUnnamedFiles = new Set(['ENOTSUP', 'EISDIR'])
const O_TMPFILE = 0o20_000_000 | constants.O_DIRECTORY
const AT_FDCWD = -100
const AT_SYMLINK_FOLLOW = 0x400
const RENAME_NOREPLACE = 1
const RENAME_EXCHANGE = 2
