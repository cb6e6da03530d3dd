import type { DriverLog } from '../../driver-log.ts'
import type { LocalComputers } from '../computers/local-computers.ts'
import type { LocalImages } from '../images/local-images.ts'
import type { FilesByComputer } from '../files/files-by-computer.ts'
import type { Transfers } from '../transfers/transfers.ts'
import type { DiskGuard } from './disk-guard.ts'
import { reopenPool } from './pool.ts'

interface Options {
  poolDirectory: string
  guard: Pick<DiskGuard, 'refuse' | 'state'>
  files: Pick<FilesByComputer, 'closeAll'>
  computers: Pick<LocalComputers, 'endAll'>
  transfers: Pick<Transfers, 'endAll'>
  images: Pick<LocalImages, 'letGo' | 'keep'>
  /** Called for each computer that the pool's failure ended, once computers can start again. */
  onLost: (id: string) => void
  log: DriverLog | undefined
}

/** Recovers a pool that has turned read-only. */
export class PoolRecovery {
  readonly #options: Options
  #isLost = false
  readonly #lostIds = new Set<string>()
  /** Images that are to be held again. */
  #images: string[] = []

  constructor(options: Options) {
    this.#options = options
  }

  /** Ends the computers, whose disks are lost, refuses work and reopens the pool. Can be called until it succeeds. */
  async recover(): Promise<void> {
    const { poolDirectory, guard, images, onLost, log } = this.#options
    if (!this.#isLost) await this.#endUsers()
    // Opening the pool writes to it.
    if (guard.state.freeBytes < minFreeBytes) return
    await reopenPool(poolDirectory)
    for (const id of this.#images.splice(0))
      await images.keep(id).catch((error: unknown) => log?.error({ err: error, image: id }, 'cannot hold an image'))
    this.#isLost = false
    guard.refuse(undefined)
    log?.info({ pool: poolDirectory }, 'the storage pool is writable again')
    for (const id of this.#lostIds) onLost(id)
    this.#lostIds.clear()
  }

  async #endUsers(): Promise<void> {
    const { poolDirectory, guard, files, computers, transfers, images, log } = this.#options
    this.#isLost = true
    log?.error({ pool: poolDirectory }, 'the storage pool has turned read-only: its computers are ended')
    guard.refuse('the storage of the computers is being recovered')
    files.closeAll()
    await transfers.endAll()
    for (const id of await computers.endAll()) this.#lostIds.add(id)
    this.#images.push(...(await images.letGo()))
  }
}

const minFreeBytes = 32 * 1024 * 1024
