import { chown, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { PageOptions, SnapshotPage, StorageUse } from '../../driver.ts'
import { pageOf } from '../../pages.ts'
import { toHostId } from '../system/id-map.ts'
import { callAsync } from '../system/libc.ts'
import { run } from '../system/run.ts'
import type { DiskGauge, Storage } from './storage.ts'

/**
 * The volumes of computers and snapshots. Each holds the upper layer of an overlay and its work directory; the lower
 * layer is an image, which is never written.
 */
export class Volumes {
  readonly #storage: Storage
  readonly #directory: string

  constructor(storage: Storage, poolDirectory: string) {
    this.#storage = storage
    this.#directory = poolDirectory
  }

  /** True when a snapshot takes constant time. */
  get instantCopy(): boolean {
    return this.#storage.instantCopy
  }

  async prepare(): Promise<void> {
    for (const kind of ['computers', 'snapshots']) await mkdir(join(this.#directory, kind), { recursive: true })
  }

  async create(id: string, diskBytes: number): Promise<void> {
    const path = this.path(id)
    await this.#storage.create(path)
    await Promise.all([mkdir(join(path, 'upper')), mkdir(join(path, 'work'))])
    await chown(join(path, 'upper'), toHostId(0), toHostId(0))
    await this.#storage.limit(path, diskBytes)
  }

  async createFromSnapshot(id: string, snapshotId: string, diskBytes: number): Promise<void> {
    if (!existsSync(this.snapshotPath(snapshotId))) {
      throw new CarrelError('not_found', `Cannot create computer "${id}": snapshot "${snapshotId}" is missing`)
    }
    await this.#storage.copy(this.snapshotPath(snapshotId), this.path(id))
    await this.#storage.limit(this.path(id), diskBytes)
  }

  /** Writes what a computer has written to the disk, so that a snapshot need not wait for that. */
  writeBack(id: string): Promise<void> {
    return this.#storage.writeBack(this.path(id))
  }

  /** Copies a computer's volume. The copy is a snapshot once `nameImage` has written down the image. */
  async snapshot(id: string, snapshotId: string): Promise<void> {
    await this.#storage.copy(this.path(id), this.snapshotPath(snapshotId))
  }

  /** Writes the image of a snapshot into it, and to the disk: without it, the snapshot is of no use. */
  async nameImage(snapshotId: string, image: string): Promise<void> {
    await using file = await open(join(this.snapshotPath(snapshotId), 'image'), 'w')
    await file.writeFile(image)
    await file.sync()
  }

  /** Replaces the volume of a computer by a copy of a snapshot, at one moment. */
  async restore(id: string, snapshotId: string, diskBytes: number): Promise<void> {
    const path = this.path(id)
    const next = this.path(`${id}${restoredSuffix}`)
    await this.#storage.delete(next)
    await this.#storage.copy(this.snapshotPath(snapshotId), next)
    await this.#storage.limit(next, diskBytes)
    await callAsync('renameat2', AT_FDCWD, next, AT_FDCWD, path, RENAME_EXCHANGE)
    // Without the flush, a crash could bring the former files back after the restore was reported.
    await this.#flush(path)
    await this.#storage.delete(next)
  }

  async used(id: string): Promise<number | undefined> {
    return (await this.gauge(id))?.()?.usedBytes
  }

  /** Returns the use of a computer's volume, with the part that nothing shares. */
  use(id: string): Promise<StorageUse | undefined> {
    return this.#storage.use(this.path(id))
  }

  snapshotUse(snapshotId: string): Promise<StorageUse | undefined> {
    return this.#storage.use(this.snapshotPath(snapshotId))
  }

  async snapshotImage(snapshotId: string): Promise<string | undefined> {
    return readFile(join(this.snapshotPath(snapshotId), 'image'), 'utf8').catch(() => undefined)
  }

  hasSnapshot(snapshotId: string): boolean {
    return existsSync(this.snapshotPath(snapshotId))
  }

  /**
   * Makes a volume of this pool, which came from elsewhere, a snapshot. Nothing of it is kept but the upper layer. Throws
   * `invalid_request` when it has none, and `already_exists`.
   */
  async adoptSnapshot(snapshotId: string, volume: string, image: string): Promise<void> {
    const upper = await lstat(join(volume, 'upper')).catch(() => undefined)
    if (!upper?.isDirectory())
      throw new CarrelError('invalid_request', `Cannot import snapshot "${snapshotId}": its content has no upper layer`)
    for (const name of await readdir(volume, { encoding: 'buffer' }))
      if (name.toString('latin1') !== 'upper')
        await rm(Buffer.concat([Buffer.from(`${volume}/`), name]), { recursive: true, force: true })
    await mkdir(join(volume, 'work'))
    await writeFile(join(volume, 'image'), image)
    // Both times: what is renamed is complete after a crash, and what was reported as imported stays.
    await this.#flush(volume)
    await rename(volume, this.snapshotPath(snapshotId)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      throw new CarrelError('already_exists', `Cannot import snapshot "${snapshotId}": it exists`)
    })
    await this.#flush(this.#directory)
  }

  async #flush(directory: string): Promise<void> {
    await run('sync', ['--file-system', directory], { timeoutMs: flushTimeoutMs })
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await this.#storage.delete(this.snapshotPath(snapshotId))
  }

  async delete(id: string): Promise<void> {
    await this.#storage.delete(this.path(id))
  }

  async limit(id: string, bytes: number): Promise<void> {
    await this.#storage.limit(this.path(id), bytes)
  }

  gauge(id: string): Promise<DiskGauge | undefined> {
    return this.#storage.gauge(this.path(id))
  }

  list(): Promise<string[]> {
    return readdir(join(this.#directory, 'computers'))
  }

  /** Reads the whole directory for each page, as nothing else lists it. */
  async snapshotPage(options: PageOptions): Promise<SnapshotPage> {
    return pageOf(await this.#snapshots(), options)
  }

  /** Returns whether a snapshot is based on an image. */
  async isImageInSnapshot(image: string): Promise<boolean> {
    for (const id of await this.#snapshots()) if ((await this.snapshotImage(id)) === image) return true
    return false
  }

  #snapshots(): Promise<string[]> {
    return readdir(join(this.#directory, 'snapshots'))
  }

  path(id: string): string {
    return join(this.#directory, 'computers', id)
  }

  snapshotPath(snapshotId: string): string {
    return join(this.#directory, 'snapshots', snapshotId)
  }
}

/** Of a volume that is about to replace another; no id of a computer ends so, and the next start removes it. */
const restoredSuffix = '.restored'
const AT_FDCWD = -100
const RENAME_EXCHANGE = 2

/** A slow disk takes minutes for a gigabyte. */
const flushTimeoutMs = 1_800_000
