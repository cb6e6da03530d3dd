import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { CarrelError } from '../../../errors.ts'
import { checkOnDisk, checkWithin, quote } from '../../files/computer-path.ts'
import { call, type SystemError } from '../system/libc.ts'

/**
 * Opens paths as if a directory were the root of the file system, with `openat2` and `RESOLVE_IN_ROOT`: the kernel
 * itself keeps `..`, absolute links, and links that are swapped during the call, inside. Magic links
 * (`/proc/self/root`) and other mounts are refused.
 */
export class RootedDirectory {
  readonly fd: number

  constructor(hostPath: string) {
    this.fd = openSync(hostPath, O_PATH | constants.O_DIRECTORY)
  }

  /** Returns a descriptor, which the caller closes. Does not block on special files. Throws a `SystemError`. */
  open(path: string, flags: number, mode = 0): number {
    const how = Buffer.alloc(24)
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | (flags & O_PATH ? 0 : constants.O_NONBLOCK)), 0)
    how.writeBigUInt64LE(BigInt(mode), 8)
    how.writeBigUInt64LE(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, 16)
    for (let tries = 0; ; tries++) {
      try {
        return call('openat2', SYS_openat2, this.fd, path, how, how.length)
      } catch (error) {
        // After a rename during the resolution, the kernel cannot say whether the path stayed inside.
        const raced = (error as SystemError).code === 'EAGAIN'
        if (!raced || tries === maxTries) throw error
      }
    }
  }

  /** Calls a function with a directory's descriptor. Its entries can then be reached through `entryPath`. */
  async inDirectory<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
    const fd = this.open(path, O_PATH | constants.O_DIRECTORY)
    try {
      return await use(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** Returns a host path for an entry of an open directory. The name is one component, so it cannot lead elsewhere. */
  entry(directoryFd: number, name: string): string {
    return entryPath(directoryFd, name)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/**
 * The root of a computer. Refuses what a running computer mounts over its disk. The check is on the location that was
 * reached, whatever path led there: `/x/../proc`, `/./etc/hosts`, or a link to `/etc` that was created inside.
 */
export class DiskRoot extends RootedDirectory {
  readonly #hostPath: string
  readonly #within: string | undefined

  /** @param within a directory; what is reached outside of it is refused, too */
  constructor(hostPath: string, within?: string) {
    super(hostPath)
    this.#hostPath = pathOf(this.fd)
    this.#within = within
  }

  override open(path: string, flags: number, mode = 0): number {
    const fd = super.open(path, flags, mode)
    try {
      this.#check(fd)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  override entry(directoryFd: number, name: string): string {
    this.#check(directoryFd, name)
    return super.entry(directoryFd, name)
  }

  /** Throws `conflict` for a directory that contains mounts, which cannot be removed with its content. */
  assertRemovable(directoryFd: number, name: string): void {
    const location = this.#location(directoryFd, name)
    if (location !== '/etc') return
    throw new CarrelError(
      'conflict',
      `Cannot remove ${quote(location)}: files that are not on the disk are mounted in it`,
      {
        details: { path: location },
      },
    )
  }

  /** Returns where an open file or directory is, inside the computer, without links. */
  location(fd: number): string {
    return this.#location(fd)
  }

  #check(fd: number, name?: string): void {
    const location = this.#location(fd, name)
    checkOnDisk(location)
    if (this.#within === undefined) return
    // A directory that was removed meanwhile is in no other.
    if (location === '/' && pathOf(fd) !== this.#hostPath) throw Object.assign(new Error('removed'), { code: 'ENOENT' })
    checkWithin(location, this.#within, { isEntry: name !== undefined })
  }

  #location(fd: number, name?: string): string {
    const path = name === undefined ? pathOf(fd) : `${pathOf(fd)}/${name}`
    // A directory that was removed meanwhile has no location.
    return path.startsWith(`${this.#hostPath}/`) ? path.slice(this.#hostPath.length) : '/'
  }
}

/**
 * Opens a directory by its one name in an open directory, to reach its entries: never a link, and never what is mounted
 * there. Returns a descriptor, which the caller closes. Throws a `SystemError`.
 */
export function openBelow(directoryFd: number, name: Buffer): number {
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(O_PATH | O_CLOEXEC | constants.O_DIRECTORY | constants.O_NOFOLLOW), 0)
  how.writeBigUInt64LE(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, 16)
  return call('openat2', SYS_openat2, directoryFd, Buffer.concat([name, endOfText]), how, how.length)
}

function pathOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}

/** Returns a host path for an entry of an open directory. The name is one component, so it cannot lead elsewhere. */
export function entryPath(directoryFd: number, name: string): string {
  return `/proc/self/fd/${directoryFd}/${name}`
}

const endOfText = Buffer.of(0)
const maxTries = 1000
export const O_PATH = 0o1000_0000
const O_CLOEXEC = 0o200_0000
const SYS_openat2 = 437
const RESOLVE_NO_XDEV = 0x01n
const RESOLVE_NO_MAGICLINKS = 0x02n
const RESOLVE_NO_SYMLINKS = 0x04n
const RESOLVE_BENEATH = 0x08n
const RESOLVE_IN_ROOT = 0x10n
