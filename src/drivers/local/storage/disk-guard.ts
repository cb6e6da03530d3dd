import { readFile, statfs } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import type { DriverLog } from '../../driver-log.ts'

interface Options {
  /** A directory of the file system to check. */
  directory: string
  /** Where computers' files are; a separate file system can be full before the disk is. */
  poolDirectory: string
  /** Reserved for the server, the monitor and the database; by default 5 % of the disk, 256 MiB to 4 GiB. */
  reserveBytes: number | undefined
  log: DriverLog | undefined
}

export interface DiskState {
  sizeBytes: number
  freeBytes: number
  /** Written to the page cache but not to a disk yet, on all file systems of the host. */
  dirtyBytes: number
  reserveBytes: number
}

/**
 * Tracks the free space of the disk that holds everything, and refuses new work before it is full, since disk space is
 * overcommitted. It checks more often the sooner the disk could fill, so that no caller waits for a check.
 */
export class DiskGuard {
  readonly #options: Options
  readonly #listeners: (() => Promise<void> | void)[] = []
  #state: DiskState
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined
  #isClosed = false
  #isLow = false
  #poolFreeBytes = 0
  #lastFailure = ''
  #refusal: string | undefined

  private constructor(options: Options, state: DiskState) {
    this.#options = options
    this.#state = state
  }

  /** Checks once; regular checks begin with `start`. */
  static async open(options: Options): Promise<DiskGuard> {
    const guard = new DiskGuard(options, { sizeBytes: 0, freeBytes: 0, dirtyBytes: 0, reserveBytes: 0 })
    await guard.check()
    return guard
  }

  get state(): DiskState {
    return this.#state
  }

  /** Bytes that can be written before new work is refused; negative beyond that. */
  get headroomBytes(): number {
    return this.#state.freeBytes - this.#state.reserveBytes
  }

  /**
   * Bytes that can be written to computers' files. This limit comes sooner, so that a computer that fills its disk does
   * not stop the work of others.
   */
  get filesHeadroomBytes(): number {
    return Math.min(this.headroomBytes, this.#poolFreeBytes) - this.#state.reserveBytes / 2
  }

  /** Refuses all work for a reason, until called with undefined. */
  refuse(reason: string | undefined): void {
    this.#refusal = reason
  }

  /**
   * Throws `no_capacity` when no headroom is left, and `unavailable` while work is refused. Reads the last check only.
   */
  assertSpace(action: string, headroomBytes = this.headroomBytes): void {
    if (this.#refusal !== undefined) throw new CarrelError('unavailable', `Cannot ${action}: ${this.#refusal}`)
    if (headroomBytes > 0) return
    throw new CarrelError('no_capacity', `Cannot ${action}: the disk of the host is nearly full`)
  }

  /** Calls the listener after each check. The next check waits for it. */
  onCheck(listener: () => Promise<void> | void): void {
    this.#listeners.push(listener)
  }

  start(): void {
    this.#schedule()
  }

  /** Checks now. Calls during a check share it. */
  check(): Promise<void> {
    return (this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#checking
  }

  async #check(): Promise<void> {
    const { directory, poolDirectory, reserveBytes } = this.#options
    const [{ bavail, blocks, bsize }, pool, dirtyBytes] = await Promise.all([
      statfs(directory),
      statfs(poolDirectory),
      readDirtyBytes(),
    ])
    this.#poolFreeBytes = pool.bavail * pool.bsize
    const sizeBytes = blocks * bsize
    this.#state = {
      sizeBytes,
      freeBytes: bavail * bsize,
      dirtyBytes,
      reserveBytes: reserveBytes ?? defaultReserveBytes(sizeBytes),
    }
    this.#logChange()
    for (const listener of this.#listeners) await listener()
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      void this.check()
        .then(
          () => this.#logFailure(undefined),
          (error: unknown) => this.#logFailure(error),
        )
        .finally(() => this.#schedule())
    }, this.#pauseMs()).unref()
  }

  /** Logs a failure that repeats only once. */
  #logFailure(error: unknown): void {
    const failure = error instanceof Error ? error.message : ''
    if (failure !== this.#lastFailure && failure !== '')
      this.#options.log?.warn({ err: error }, 'cannot check the disk; will try again')
    this.#lastFailure = failure
  }

  /** Half of the time in which the disk could fill. */
  #pauseMs(): number {
    const untilFullMs = ((this.filesHeadroomBytes - this.#state.dirtyBytes) / maxBytesPerSecond) * 1000
    return Math.min(Math.max(untilFullMs / 2, minPauseMs), maxPauseMs)
  }

  #logChange(): void {
    const isLow = this.headroomBytes <= 0
    if (isLow === this.#isLow) return
    this.#isLow = isLow
    if (isLow) this.#options.log?.warn(this.#state, 'the disk is nearly full: new work is refused until space is free')
    else this.#options.log?.info(this.#state, 'the disk has free space again')
  }
}

/** Enough for the database and its log, and for what is written before the next check. */
function defaultReserveBytes(sizeBytes: number): number {
  return Math.min(Math.max(sizeBytes * reserveShare, minReserveBytes), maxReserveBytes, sizeBytes / 4)
}

async function readDirtyBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'latin1')
  let kilobytes = 0
  for (const [, amount] of text.matchAll(/^(?:Dirty|Writeback):\s+(\d+) kB/gm)) kilobytes += Number(amount)
  return kilobytes * 1024
}

const MiB = 1024 * 1024
const reserveShare = 0.05
const minReserveBytes = 256 * MiB
const maxReserveBytes = 4096 * MiB
/** The write rate of fast disks, and of several programs together into the page cache. */
const maxBytesPerSecond = 2048 * MiB
const minPauseMs = 100
const maxPauseMs = 5_000
