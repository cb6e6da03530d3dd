import { access, constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverLog } from '../../driver-log.ts'
import { callAsync, MS_NOATIME, MS_NODEV, MS_NOSUID, MS_REMOUNT, SystemError } from '../system/libc.ts'
import { Ballast } from './ballast.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { GuestRoom } from './guest-room.ts'
import { MetadataRoom } from './metadata-room.ts'

interface Options {
  dataDirectory: string
  poolDirectory: string
  /** True where the pool is a file system in a file of the data directory. */
  isInFile: boolean
  guard: DiskGuard
  guests: GuestRoom
  /** The pool has gone read-only. Resolves when it can be written again. */
  onReadOnly: () => Promise<void>
  log: DriverLog | undefined
}

/** Looks after the pool with each look at the disk, so that a full disk never makes it read-only; and brings it back where it did. */
export class PoolCare {
  readonly #options: Options
  readonly #ballast: Ballast
  readonly #metadata: MetadataRoom | undefined
  #discards = true
  #heldAtMs = -Infinity
  /** Since the last trim. */
  #maxUsedBytes = 0
  #trimmedAtMs = -Infinity

  constructor(options: Options) {
    this.#options = options
    const { dataDirectory, poolDirectory, isInFile, guard } = options
    this.#ballast = new Ballast(join(dataDirectory, 'ballast'), guard.state.reserveBytes)
    this.#metadata = isInFile ? new MetadataRoom(poolDirectory, `${poolDirectory}.img`) : undefined
  }

  async look(): Promise<void> {
    const { guard, guests, log, poolDirectory, onReadOnly } = this.#options
    if (await isReadOnly(poolDirectory)) return onReadOnly()
    await this.#holdMetadata().catch((error: unknown) => {
      if (!(error instanceof SystemError && error.code === 'ENOSPC')) throw error
    })
    const { reserveBytes, waitingBytes } = guard.state
    const minBytes = guard.roomBytes > 0 ? reserveBytes / 4 : 0
    await guests.deal(guard.filesRoomBytes, { waitingBytes, minBytes })
    const ballast = await this.#ballast.look(guard.roomBytes, guard.state.freeBytes)
    if (ballast === 'given')
      log?.warn(guard.state, 'the disk is full: gave up the ballast, so that things can be deleted')
  }

  /**
   * Near the end freed blocks are kept rather than given back to the disk: somebody else would take them, and the next commit could
   * not be written.
   */
  async #holdMetadata(): Promise<void> {
    const { guard } = this.#options
    if (!this.#metadata || guard.roomBytes > nearBytes) return
    const { freeBytes, reserveBytes } = guard.state
    const discards = freeBytes > reserveBytes / 2
    if (discards !== this.#discards) {
      await setDiscard(this.#options.poolDirectory, discards)
      this.#discards = discards
    } else if (Date.now() - this.#heldAtMs < holdEveryMs) return
    this.#heldAtMs = Date.now()
    if (discards) await this.#trim()
    await this.#metadata.hold()
  }

  /** What guests deleted goes back to the disk now; by itself that can take minutes. */
  async #trim(): Promise<void> {
    const { guests, poolDirectory } = this.#options
    const { usedBytes } = guests
    this.#maxUsedBytes = Math.max(this.#maxUsedBytes, usedBytes)
    if (this.#maxUsedBytes - usedBytes < trimmedBytes || Date.now() - this.#trimmedAtMs < trimEveryMs) return
    this.#maxUsedBytes = usedBytes
    this.#trimmedAtMs = Date.now()
    await trim(poolDirectory)
  }
}

/** A file system is, once a part of it could not be written. */
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

/** Tells what lies below of all that is free. */
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
const trimmedBytes = 16 * 1024 * 1024
const trimEveryMs = 5_000
const nearBytes = 8192 * 1024 * 1024
const holdEveryMs = 1_000
