import { constants, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { call, callAsync, SystemError } from '../system/libc.ts'
import type { StorageUse } from '../../driver.ts'
import type { DiskGauge, Storage } from './storage.ts'

/**
 * Volumes as btrfs subvolumes with a quota group each, through the ioctls of linux/btrfs.h (spawning `btrfs` takes 1.5
 * ms for each call). The limit is on referenced bytes, so data that a volume shares with its origin counts too.
 */
export class BtrfsStorage implements Storage {
  readonly kind = 'btrfs'
  readonly quota: boolean
  /** The error code of the kernel's refusal to enable quotas. */
  readonly quotaFailure: string | undefined
  readonly instantCopy = true
  readonly #sysfs: string

  private constructor(sysfs: string, quotaFailure: string | undefined) {
    this.#sysfs = sysfs
    this.quota = quotaFailure === undefined
    this.quotaFailure = quotaFailure
  }

  /** Opens a mounted btrfs file system and enables quotas. */
  static async open(mountPoint: string): Promise<BtrfsStorage> {
    const directory = await open(mountPoint, constants.O_DIRECTORY)
    try {
      const info = Buffer.alloc(1024)
      call('ioctl', directory.fd, FS_INFO, info)
      const hex = info.toString('hex', 16, 32)
      const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
      return new BtrfsStorage(`/sys/fs/btrfs/${uuid}`, await enableQuota(directory.fd))
    } finally {
      await directory.close()
    }
  }

  async create(path: string): Promise<void> {
    await inParent(path, (parent) => callAsync('ioctl', parent, SUBVOL_CREATE, namedArguments(0, path)))
  }

  async copy(from: string, to: string, { readOnly } = { readOnly: false }): Promise<void> {
    const origin = await open(from, constants.O_DIRECTORY)
    try {
      const args = namedArguments(origin.fd, to, snapshotNameOffset)
      if (readOnly) args.writeBigUInt64LE(SUBVOL_RDONLY, 16)
      await inParent(to, (parent) => callAsync('ioctl', parent, SNAP_CREATE_V2, args))
    } finally {
      await origin.close()
    }
  }

  /**
   * Asks for a snapshot under a name that is taken. The kernel writes the data of the volume to the disk before it
   * looks at the name; no other call does that for one volume of a file system. A commit then does the same for the
   * metadata.
   */
  async writeBack(path: string): Promise<void> {
    const volume = await open(path, constants.O_DIRECTORY)
    try {
      const taken = namedArguments(volume.fd, path, snapshotNameOffset)
      await inParent(path, (parent) => callAsync('ioctl', parent, SNAP_CREATE_V2, taken)).catch((error: unknown) => {
        if (!(error instanceof SystemError && error.code === 'EEXIST')) throw error
      })
      const transaction = Buffer.alloc(8)
      await callAsync('ioctl', volume.fd, START_SYNC, transaction)
      await callAsync('ioctl', volume.fd, WAIT_SYNC, transaction)
    } finally {
      await volume.close()
    }
  }

  async delete(path: string): Promise<void> {
    const id = await this.#id(path)
    if (id === undefined) return
    await inParent(path, (parent) => callAsync('ioctl', parent, SNAP_DESTROY, namedArguments(0, path)))
    if (this.quota) await this.#removeGroup(path, id)
  }

  async limit(path: string, bytes: number): Promise<void> {
    const id = this.quota ? await this.#id(path) : undefined
    if (id === undefined) return
    const args = Buffer.alloc(48)
    args.writeBigUInt64LE(id, 0)
    args.writeBigUInt64LE(MAX_REFERENCED, 8)
    args.writeBigUInt64LE(BigInt(bytes), 16)
    // On the volume itself, the call would use the volume's own quota, and a full volume could never get more.
    await inParent(path, (parent) => callAsync('ioctl', parent, QGROUP_LIMIT, args))
  }

  async gauge(path: string): Promise<DiskGauge | undefined> {
    const group = await this.#group(path)
    if (group === undefined) return undefined
    return () => {
      try {
        // Data that is not on the disk yet is reserved; it is referenced from the next commit on.
        const dirtyBytes = Number(readFileSync(`${group}/rsv_data`))
        return { usedBytes: Number(readFileSync(`${group}/referenced`)) + dirtyBytes, dirtyBytes }
      } catch {
        return undefined
      }
    }
  }

  async use(path: string): Promise<StorageUse | undefined> {
    const group = await this.#group(path)
    if (group === undefined) return undefined
    const read = (name: string) => Number(readFileSync(`${group}/${name}`))
    const dirtyBytes = read('rsv_data')
    return { usedBytes: read('referenced') + dirtyBytes, exclusiveBytes: read('exclusive') + dirtyBytes }
  }

  /** Returns the directory of a volume's quota group; undefined when there is none. */
  async #group(path: string): Promise<string | undefined> {
    const id = this.quota ? await this.#id(path) : undefined
    return id === undefined ? undefined : `${this.#sysfs}/qgroups/0_${id}`
  }

  async #id(path: string): Promise<bigint | undefined> {
    const info = Buffer.alloc(504)
    try {
      await onDirectory(path, async (fd) => call('ioctl', fd, GET_SUBVOL_INFO, info))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    return info.readBigUInt64LE(0)
  }

  /**
   * Removes the quota group that a deleted subvolume leaves. Newer kernels refuse until the cleaner is done: harmless.
   */
  async #removeGroup(path: string, id: bigint): Promise<void> {
    const args = Buffer.alloc(16)
    args.writeBigUInt64LE(id, 8)
    await onDirectory(dirname(path), (fd) => callAsync('ioctl', fd, QGROUP_CREATE, args)).catch((error) => {
      if (!(error instanceof SystemError)) throw error
    })
  }
}

/** Resolves with the error code of a refusal, else undefined. */
async function enableQuota(fd: number): Promise<string | undefined> {
  const args = Buffer.alloc(16)
  args.writeBigUInt64LE(QUOTA_ENABLE, 0)
  try {
    await callAsync('ioctl', fd, QUOTA_CTL, args)
    return undefined
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return error.code === 'EEXIST' ? undefined : error.code
  }
}

function namedArguments(fd: number, path: string, nameOffset = 8): Buffer {
  const args = Buffer.alloc(4096)
  args.writeBigInt64LE(BigInt(fd), 0)
  args.write(basename(path), nameOffset)
  return args
}

function inParent<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
  return onDirectory(dirname(path), use)
}

async function onDirectory<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
  const directory = await open(path, constants.O_DIRECTORY)
  try {
    return await use(directory.fd)
  } finally {
    await directory.close()
  }
}

const SUBVOL_CREATE = 0x5000_940e
const SNAP_DESTROY = 0x5000_940f
const SNAP_CREATE_V2 = 0x5000_9417
const START_SYNC = 0x8008_9418
const WAIT_SYNC = 0x4008_9416
const FS_INFO = 0x8400_941f
const QUOTA_CTL = 0xc010_9428
const QGROUP_CREATE = 0x4010_942a
const QGROUP_LIMIT = 0x8030_942b
const GET_SUBVOL_INFO = 0x81f8_943c
const QUOTA_ENABLE = 1n
const MAX_REFERENCED = 1n
const SUBVOL_RDONLY = 2n
/** Of the name in the arguments of `SNAP_CREATE_V2`. */
const snapshotNameOffset = 56
