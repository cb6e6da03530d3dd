import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { CarrelError } from '../../../errors.ts'
import { call, type SystemError } from '../system/libc.ts'

/**
 * Opens paths as if a directory were the root of the file system, by `openat2` with `RESOLVE_IN_ROOT`: the kernel
 * itself keeps `..`, absolute links and links that are swapped during the call inside. Magic links (`/proc/self/root`)
 * and other mounts are refused.
 */
export class RootedDirectory {
  readonly fd: number

  constructor(hostPath: string) {
    this.fd = openSync(hostPath, O_PATH | constants.O_DIRECTORY)
  }

  /** A descriptor that the caller closes. Never blocks on what is no regular file. Throws a `SystemError`. */
  open(path: string, flags: number, mode = 0): number {
    const how = Buffer.alloc(24)
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | (flags & O_PATH ? 0 : constants.O_NONBLOCK)), 0)
    how.writeBigUInt64LE(BigInt(mode), 8)
    how.writeBigUInt64LE(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, 16)
    for (let tries = 0; ; tries++) {
      try {
        return call('openat2', SYS_openat2, this.fd, path, how, how.length)
      } catch (error) {
        // Something was renamed during the resolution, so that the kernel cannot tell whether it stayed inside.
        const raced = (error as SystemError).code === 'EAGAIN'
        if (!raced || tries === maxTries) throw error
      }
    }
  }

  /** Does something with a directory's descriptor; entries of it are then reached by `entryPath`. */
  async inDirectory<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
    const fd = this.open(path, O_PATH | constants.O_DIRECTORY)
    try {
      return await use(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** A host path for one entry of a directory of it. The name is one component, so nothing can lead elsewhere. */
  entry(directoryFd: number, name: string): string {
    return entryPath(directoryFd, name)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/**
 * The root of a computer. What a running computer mounts over its disk is refused by the place that was reached,
 * whatever path led there: `/x/../proc`, `/./etc/hosts`, or a link to `/etc` that was made inside.
 */
export class DiskRoot extends RootedDirectory {
  readonly #hostPath: string

  constructor(hostPath: string) {
    super(hostPath)
    this.#hostPath = pathOf(this.fd)
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

  /** Rejects to take away a directory with all that is in it when that is not all on the disk. */
  checkWhole(directoryFd: number, name: string): void {
    const place = this.#place(directoryFd, name)
    if (place !== '/etc') return
    throw new CarrelError(
      'conflict',
      `Cannot remove ${quote(place)}: files that are not on the disk are mounted in it`,
      {
        details: { path: place },
      },
    )
  }

  #check(fd: number, name?: string): void {
    checkOnDisk(this.#place(fd, name))
  }

  #place(fd: number, name?: string): string {
    const path = name === undefined ? pathOf(fd) : `${pathOf(fd)}/${name}`
    // What was removed meanwhile is nowhere.
    return path.startsWith(`${this.#hostPath}/`) ? path.slice(this.#hostPath.length) : '/'
  }
}

function pathOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}

/** A host path for one entry of an open directory. The name is one component, so nothing can lead elsewhere. */
export function entryPath(directoryFd: number, name: string): string {
  return `/proc/self/fd/${directoryFd}/${name}`
}

/** Takes a path apart where its last component begins. Throws `invalid_request` for a path that names no entry. */
export function splitPath(path: string): { directory: string; name: string } {
  const trimmed = path.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  const name = trimmed.slice(slash + 1)
  if (name === '' || name === '.' || name === '..') {
    throw new CarrelError('invalid_request', `Cannot use path ${quote(path)}: it names a directory itself`, {
      details: { field: 'path' },
    })
  }
  return { directory: trimmed.slice(0, slash) || '/', name }
}

/** Rejects what no path can be: relative, too long, with a NUL or half a character in it. */
export function checkPath(path: string): void {
  const refuse = (why: string) => {
    throw new CarrelError('invalid_request', `Cannot use path ${quote(path)}: ${why}`, { details: { field: 'path' } })
  }
  if (!path.startsWith('/')) refuse('it is not absolute')
  if (path.includes('\0')) refuse('it has a NUL character')
  if (!path.isWellFormed()) refuse('it is not valid Unicode')
  if (Buffer.byteLength(path) >= maxPathBytes) refuse(`it is longer than ${maxPathBytes - 1} bytes`)
}

/**
 * Rejects what a running computer mounts over its disk: from outside there is nothing, and what was written there would
 * never be seen inside.
 */
export function checkOnDisk(path: string): void {
  if (!/^\/+((proc|sys|dev)(\/|$)|etc\/+(resolv\.conf|hosts|hostname)$)/.test(path)) return
  throw new CarrelError(
    'not_found',
    `Cannot use path ${quote(path)}: it is not on the disk; only programs in the computer see it`,
    {
      details: { field: 'path' },
    },
  )
}

/** A path for a message: in quotes, control characters escaped, cut after 200 characters. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

const maxTries = 1000
const maxPathBytes = 4096
export const O_PATH = 0o1000_0000
const O_CLOEXEC = 0o200_0000
const SYS_openat2 = 437
const RESOLVE_NO_XDEV = 0x01n
const RESOLVE_NO_MAGICLINKS = 0x02n
const RESOLVE_IN_ROOT = 0x10n
