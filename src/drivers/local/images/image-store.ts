import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ImageInfo } from '../../driver.ts'
import { CarrelError } from '../../../errors.ts'
import { unmount } from '../host/mounts.ts'
import { run } from '../system/run.ts'
import type { Storage } from '../storage/storage.ts'
import { lock, tryLock, tryOwn, tryShare } from './file-lock.ts'

/** A stored image with its origin. */
export interface StoredImage extends ImageInfo {
  source: 'recipe' | 'import'
  /** The id of the image that this one is a layer over; undefined for one that is complete. */
  from?: string
}

/**
 * Images on the disk: `<directory>/<id>/rootfs` and `<directory>/<id>/image.json`. A volume with another name is not an
 * image: `.partial-…` is being created or deleted, with a lock file next to it for that time.
 */
export class ImageStore {
  readonly #directory: string
  readonly #storage: Storage
  readonly #mounts: string | undefined

  /** @param mounts the directory in which layers are mounted while they are built; in their volumes by default */
  constructor(directory: string, storage: Storage, mounts?: string) {
    this.#directory = directory
    this.#storage = storage
    this.#mounts = mounts
  }

  rootfs(id: string): string {
    return join(this.#directory, id, 'rootfs')
  }

  /**
   * Returns the root file systems that make up an image, the topmost first: its own, and those of the images that it is
   * a layer over. Throws `image_missing` when one of them does not exist.
   */
  async layers(id: string): Promise<string[]> {
    const layers: string[] = []
    for (let next: string | undefined = id; next !== undefined;) {
      const image: StoredImage | undefined = await this.get(next)
      if (!image) throw new CarrelError('image_missing', `Cannot use image "${id}": "${next}" is missing`)
      layers.push(this.rootfs(next))
      next = image.from
    }
    return layers
  }

  /** Returns where the layer in a volume is mounted over its base while it is being built. */
  mountPoint(volume: string): string {
    return this.#mounts === undefined ? join(volume, 'merged') : join(this.#mounts, basename(volume))
  }

  async get(id: string): Promise<StoredImage | undefined> {
    if (!imageIdPattern.test(id)) return undefined
    const text = await readFile(this.#description(id), 'utf8').catch(unlessMissing)
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
      await this.#discard(volume)
      await this.#storage.create(volume)
      try {
        const image = await fill(volume)
        await this.#publish(volume, image)
        return image
      } finally {
        await this.#discard(volume)
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

  /**
   * Keeps an image from being removed, by any process, until `release` is called or this process ends. Throws
   * `image_missing`.
   */
  async hold(id: string): Promise<{ release(): Promise<void> }> {
    const held = await tryShare(this.#description(id)).catch(unlessMissing)
    // What was renamed meanwhile is being removed.
    if (held && existsSync(this.#description(id))) return held
    await held?.release()
    throw new CarrelError('image_missing', `Cannot use image "${id}": it is missing`)
  }

  /** Removes an image: at once for all users, then from the disk. Throws `conflict` while somebody holds it. */
  async remove(id: string): Promise<void> {
    if (!(await this.get(id))) return
    const owned = await tryOwn(this.#description(id)).catch(unlessMissing)
    if (!owned)
      throw new CarrelError(
        'conflict',
        `Cannot remove image "${id}": a server gives it to new computers, or builds on it`,
        {
          details: { image: id },
        },
      )
    try {
      await this.#removeNow(id)
    } finally {
      await owned.release()
    }
  }

  async #removeNow(id: string): Promise<void> {
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
      await this.#discard(this.#partial(name)).catch(() => {})
      await held.release()
    }
  }

  /** Deletes a volume that is no image, in which a killed server can have left a mounted root. */
  async #discard(volume: string): Promise<void> {
    await unmount(this.mountPoint(volume))
    await rm(this.mountPoint(volume), { recursive: true, force: true })
    await this.#storage.delete(volume)
  }

  #description(id: string): string {
    return join(this.#directory, id, 'image.json')
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
