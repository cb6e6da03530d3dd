import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageInfo } from '../../driver.ts'
import { run } from '../system/run.ts'
import type { Storage } from '../storage/storage.ts'
import { lock, tryLock } from './file-lock.ts'

/** A stored image with its origin. */
export interface StoredImage extends ImageInfo {
  source: 'recipe' | 'import'
}

/**
 * Images on the disk: `<directory>/<id>/rootfs` and `<directory>/<id>/image.json`. A volume with another name is not an
 * image: `.partial-…` is being created or deleted, with a lock file next to it for that time.
 */
export class ImageStore {
  readonly #directory: string
  readonly #storage: Storage

  constructor(directory: string, storage: Storage) {
    this.#directory = directory
    this.#storage = storage
  }

  rootfs(id: string): string {
    return join(this.#directory, id, 'rootfs')
  }

  async get(id: string): Promise<StoredImage | undefined> {
    if (!imageIdPattern.test(id)) return undefined
    const text = await readFile(join(this.#directory, id, 'image.json'), 'utf8').catch(unlessMissing)
    return text === undefined ? undefined : (JSON.parse(text) as StoredImage)
  }

  /** Returns all images, the newest first. */
  async list(): Promise<StoredImage[]> {
    const names = (await readdir(this.#directory).catch(unlessMissing)) ?? []
    const images = await Promise.all(names.map((name) => this.get(name)))
    return images.filter((image) => image !== undefined).toSorted((a, b) => b.createdAtMs - a.createdAtMs)
  }

  /**
   * Calls `fill` to create an image in a new volume, and publishes it when it is complete and on the disk. Calls with
   * the same `name` wait for it, in any process. When `fill` returns an image that exists, its volume is deleted.
   */
  async add(name: string, fill: (volume: string) => Promise<StoredImage>): Promise<StoredImage> {
    await mkdir(this.#directory, { recursive: true })
    const held = await lock(this.#lockFile(name))
    try {
      const existing = await this.get(name)
      if (existing) return existing
      const volume = this.#partial(name)
      await this.#storage.delete(volume)
      await this.#storage.create(volume)
      try {
        const image = await fill(volume)
        await this.#publish(volume, image)
        return image
      } finally {
        await this.#storage.delete(volume)
      }
    } finally {
      await held.release()
    }
  }

  async #publish(volume: string, image: StoredImage): Promise<void> {
    if (await this.get(image.id)) return
    await writeFile(join(volume, 'image.json'), `${JSON.stringify(image, null, 2)}\n`)
    await run('sync', ['--file-system', volume], { timeoutMs: flushTimeoutMs })
    try {
      await rename(volume, join(this.#directory, image.id))
    } catch (error) {
      // Imports of two references can result in the same image. The first one stays.
      if (!(await this.get(image.id))) throw error
    }
  }

  /** Removes an image: at once for all users, then from the disk. */
  async remove(id: string): Promise<void> {
    if (!(await this.get(id))) return
    const name = `removed-${randomUUID()}`
    const held = await lock(this.#lockFile(name))
    try {
      await rename(join(this.#directory, id), this.#partial(name))
      await this.#storage.delete(this.#partial(name))
    } finally {
      await held.release()
    }
  }

  /** Removes incomplete images of servers that were killed. What cannot be removed stays for the next time. */
  async removeLeftovers(): Promise<void> {
    const entries = (await readdir(this.#directory).catch(unlessMissing)) ?? []
    const names = new Set(entries.flatMap((entry) => /^\.(?:partial|lock)-(.+)$/.exec(entry)?.[1] ?? []))
    for (const name of names) {
      const held = await tryLock(this.#lockFile(name))
      if (!held) continue
      await this.#storage.delete(this.#partial(name)).catch(() => {})
      await held.release()
    }
  }

  #partial(name: string): string {
    return join(this.#directory, `.partial-${name}`)
  }

  #lockFile(name: string): string {
    return join(this.#directory, `.lock-${name}`)
  }
}

/** Throws all other errors: an image that cannot be read for lack of a descriptor is not missing. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

const imageIdPattern = /^[a-z0-9][a-z0-9.-]*-[0-9a-f]{12}$/
/** A slow disk takes minutes for a gigabyte. */
const flushTimeoutMs = 1_800_000
