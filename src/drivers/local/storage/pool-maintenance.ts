import { access, constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverLog } from '../../driver-log.ts'
import { callAsync, MS_NOATIME, MS_NODEV, MS_NOSUID, MS_REMOUNT, SystemError } from '../system/libc.ts'
import { Ballast } from './ballast.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { DiskShares } from './disk-shares.ts'
import { MetadataSpace } from './metadata-space.ts'

interface Options {
  dataDirectory: string
  poolDirectory: string
  /** True when the pool is a file system in a file of the data directory. */
  isInFile: boolean
  guard: DiskGuard
  guests: DiskShares
  /** Called when the pool has turned read-only. Resolves when it is writable again. */
  onReadOnly: () => Promise<void>
  log: DriverLog | undefined
}

/**
 * Maintains the pool with each check of the disk, so that a full disk does not turn it read-only, and recovers it if it
 * did.
 */
export class PoolMaintenance {
  readonly #options: Options
  readonly #ballast: Ballast
  readonly #metadata: MetadataSpace | undefined
  #discards = true
  #allocatedAtMs = -Infinity
  /** Peak since the last trim. */
  #maxUsedBytes = 0
  #trimmedAtMs = -Infinity

  constructor(options: Options) {
    this.#options = options
    const { dataDirectory, poolDirectory, isInFile, guard } = options
    this.#ballast = new Ballast(join(dataDirectory, 'ballast'), guard.state.reserveBytes)
    this.#metadata = isInFile ? new MetadataSpace(poolDirectory, `${poolDirectory}.img`) : undefined
  }

  async check(): Promise<void> {
    const { guard, guests, log, poolDirectory, onReadOnly } = this.#options
    if (await isReadOnly(poolDirectory)) return onReadOnly()
    await this.#allocateMetadata().catch((error: unknown) => {
      if (!(error instanceof SystemError && error.code === 'ENOSPC')) throw error
    })
    const { reserveBytes, dirtyBytes } = guard.state
    const minBytes = guard.headroomBytes > 0 ? reserveBytes / 4 : 0
    await guests.distribute(guard.filesHeadroomBytes, { dirtyBytes, minBytes })
    const ballast = await this.#ballast.check(guard.headroomBytes, guard.state.freeBytes)
    if (ballast === 'released')
      log?.warn(guard.state, 'the disk is full: released the ballast file, so that files can be deleted')
  }

  /**
   * When the disk is nearly full, keeps freed blocks instead of returning them to the disk: another program would take
   * them, and the next commit could not be written.
   */
  async #allocateMetadata(): Promise<void> {
    const { guard } = this.#options
    if (!this.#metadata || guard.headroomBytes > nearlyFullBytes) return
    const { freeBytes, reserveBytes } = guard.state
    const discards = freeBytes > reserveBytes / 2
    if (discards !== this.#discards) {
      await setDiscard(this.#options.poolDirectory, discards)
      this.#discards = discards
    } else if (Date.now() - this.#allocatedAtMs < allocateEveryMs) return
    this.#allocatedAtMs = Date.now()
    if (discards) await this.#trim()
    await this.#metadata.allocate()
  }

  /** Returns what guests deleted to the disk at once; asynchronous discards can take minutes. */
  async #trim(): Promise<void> {
    const { guests, poolDirectory } = this.#options
    const { usedBytes } = guests
    this.#maxUsedBytes = Math.max(this.#maxUsedBytes, usedBytes)
    if (this.#maxUsedBytes - usedBytes < minTrimBytes || Date.now() - this.#trimmedAtMs < trimEveryMs) return
    this.#maxUsedBytes = usedBytes
    this.#trimmedAtMs = Date.now()
    await trim(poolDirectory)
  }
}

/** Returns whether the file system has turned read-only, as it does when a part of it could not be written. */
export async function isReadOnly(directory: string): Promise<boolean> {
  return access(directory, constants.W_OK).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EROFS' || error.code === 'EIO',
  )
}

async function setDiscard(directory: string, discards: boolean): Promise<void> {
  const flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOATIME
  await callAsync('mount', 'none', directory, null, flags, discards ? 'discard=async' : 'nodiscard')
}

/** Discards all free blocks of the file system on the underlying file. */
async function trim(directory: string): Promise<void> {
  const range = Buffer.alloc(24)
  range.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 8)
  const handle = await open(directory, constants.O_DIRECTORY)
  try {
    await callAsync('ioctl', handle.fd, FITRIM, range)
  } finally {
    await handle.close()
  }
}

const FITRIM = 0xc018_5879
const minTrimBytes = 16 * 1024 * 1024
const trimEveryMs = 5_000
const nearlyFullBytes = 8192 * 1024 * 1024
const allocateEveryMs = 1_000
