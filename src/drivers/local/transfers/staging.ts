import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverLog } from '../../driver-log.ts'
import type { Storage } from '../storage/storage.ts'

/** Directories of the pool in which snapshots are prepared. What a crash leaves there is removed at the next start. */
export class Staging {
  readonly #directory: string
  readonly #storage: Storage

  constructor(poolDirectory: string, storage: Storage) {
    this.#directory = join(poolDirectory, 'transfers')
    this.#storage = storage
  }

  /** Creates the directory, and removes what transfers of an earlier server left. What resists stays. */
  async prepare(log: DriverLog | undefined): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#directory))
      await this.#remove(join(this.#directory, name)).catch((error: unknown) =>
        log?.warn({ err: error, transfer: name }, 'cannot remove the rest of a transfer; it is left'),
      )
  }

  /** Returns a new directory. Volumes may be created in it and one level below. */
  async open(): Promise<AsyncDisposable & { path: string }> {
    const path = join(this.#directory, randomUUID())
    await mkdir(path)
    return { path, [Symbol.asyncDispose]: () => this.#remove(path) }
  }

  async #remove(path: string): Promise<void> {
    for (const entry of await this.#below(path)) {
      for (const inner of (await this.#isVolume(entry)) ? [] : await this.#below(entry))
        if (await this.#isVolume(inner)) await this.#storage.delete(inner)
      if (await this.#isVolume(entry)) await this.#storage.delete(entry)
    }
    await rm(path, { recursive: true, force: true })
  }

  async #below(directory: string): Promise<string[]> {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() ? [join(directory, entry.name)] : []))
  }

  /** Returns whether a directory is a volume that `rm` cannot remove. */
  async #isVolume(path: string): Promise<boolean> {
    return this.#storage.kind === 'btrfs' && (await lstat(path)).ino === subvolumeRoot
  }
}

/** The inode of the root of each btrfs subvolume, and of nothing else. */
const subvolumeRoot = 256
