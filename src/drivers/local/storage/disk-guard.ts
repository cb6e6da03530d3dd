import { readFile, statfs } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import type { DriverLog } from '../../driver-log.ts'

interface Options {
  /** On the file system that is looked at. */
  directory: string
  /** Where computers' files are: a file system of its own can be full before the disk is. */
  poolDirectory: string
  /** What server, monitor and database have for themselves; a share of the disk when undefined. */
  reserveBytes: number | undefined
  log: DriverLog | undefined
}

export interface DiskState {
  sizeBytes: number
  freeBytes: number
  /** What is written and on no disk yet, of all file systems of the host. */
  waitingBytes: number
  reserveBytes: number
}

/**
 * Knows how much room the disk has on which everything lies, and refuses new work before there is none: computers' disks are
 * promised more than there is. It looks the more often the sooner the disk could be full, so that nobody who asks waits for a look.
 */
export class DiskGuard {
  readonly #options: Options
  readonly #listeners: (() => Promise<void> | void)[] = []
  #state: DiskState
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isClosed = false
  #isLow = false
  #poolFreeBytes = 0
  #complaint = ''
  #refusal: string | undefined

  private constructor(options: Options, state: DiskState) {
    this.#options = options
    this.#state = state
  }

  /** Looks for the first time; watches from `start` on. */
  static async open(options: Options): Promise<DiskGuard> {
    const guard = new DiskGuard(options, { sizeBytes: 0, freeBytes: 0, waitingBytes: 0, reserveBytes: 0 })
    await guard.look()
    return guard
  }

  get state(): DiskState {
    return this.#state
  }

  /** What may still be written before new work is refused; negative beyond that. */
  get roomBytes(): number {
    return this.#state.freeBytes - this.#state.reserveBytes
  }

  /**
   * The same for what goes into computers' files: it ends sooner, so that who fills their own disk does not keep others from
   * working.
   */
  get filesRoomBytes(): number {
    return Math.min(this.roomBytes, this.#poolFreeBytes) - this.#state.reserveBytes / 2
  }

  /** Refuses everything for a reason, until it is called without one. */
  refuse(reason: string | undefined): void {
    this.#refusal = reason
  }

  /** Throws a `no_capacity` when what is left is for the server alone, or for new work alone. Costs nothing. */
  assertRoom(doing: string, roomBytes = this.roomBytes): void {
    if (this.#refusal !== undefined) throw new CarrelError('unavailable', `Cannot ${doing}: ${this.#refusal}`)
    if (roomBytes > 0) return
    throw new CarrelError('no_capacity', `Cannot ${doing}: the disk of the host is nearly full`)
  }

  /** Is called after each look; the next one waits for it. */
  onLook(listener: () => Promise<void> | void): void {
    this.#listeners.push(listener)
  }

  start(): void {
    this.#schedule()
  }

  /** Looks now. One that is under way is waited for. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { directory, poolDirectory, reserveBytes } = this.#options
    const [{ bavail, blocks, bsize }, pool, waitingBytes] = await Promise.all([
      statfs(directory),
      statfs(poolDirectory),
      readWaitingBytes(),
    ])
    this.#poolFreeBytes = pool.bavail * pool.bsize
    const sizeBytes = blocks * bsize
    this.#state = {
      sizeBytes,
      freeBytes: bavail * bsize,
      waitingBytes,
      reserveBytes: reserveBytes ?? defaultReserveBytes(sizeBytes),
    }
    this.#tell()
    for (const listener of this.#listeners) await listener()
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      void this.look()
        .then(
          () => this.#complain(undefined),
          (error: unknown) => this.#complain(error),
        )
        .finally(() => this.#schedule())
    }, this.#pauseMs()).unref()
  }

  /** Once of what fails in the same way with look after look. */
  #complain(error: unknown): void {
    const complaint = error instanceof Error ? error.message : ''
    if (complaint !== this.#complaint && complaint !== '')
      this.#options.log?.warn({ err: error }, 'cannot look after the disk; will try again')
    this.#complaint = complaint
  }

  /** Half of the time in which the disk could be full. */
  #pauseMs(): number {
    const untilFullMs = ((this.filesRoomBytes - this.#state.waitingBytes) / fastestBytesPerSecond) * 1000
    return Math.min(Math.max(untilFullMs / 2, shortestPauseMs), longestPauseMs)
  }

  #tell(): void {
    const isLow = this.roomBytes <= 0
    if (isLow === this.#isLow) return
    this.#isLow = isLow
    if (isLow) this.#options.log?.warn(this.#state, 'the disk is nearly full: new work is refused until there is room')
    else this.#options.log?.info(this.#state, 'the disk has room again')
  }
}

/** Enough for the database and its log, and for what is written until the next look. */
function defaultReserveBytes(sizeBytes: number): number {
  return Math.min(Math.max(sizeBytes * reserveShare, minReserveBytes), maxReserveBytes, sizeBytes / 4)
}

async function readWaitingBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'latin1')
  let kilobytes = 0
  for (const [, amount] of text.matchAll(/^(?:Dirty|Writeback):\s+(\d+) kB/gm)) kilobytes += Number(amount)
  return kilobytes * 1024
}

const MiB = 1024 * 1024
const reserveShare = 0.05
const minReserveBytes = 256 * MiB
const maxReserveBytes = 4096 * MiB
/** What fast disks take, and what the page cache takes of some programs at once. */
const fastestBytesPerSecond = 2048 * MiB
const shortestPauseMs = 100
const longestPauseMs = 5_000
