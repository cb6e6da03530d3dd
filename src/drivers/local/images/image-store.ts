import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageInfo } from '../../driver.ts'
import { run } from '../system/run.ts'
import type { Storage } from '../storage/storage.ts'
import { lock, tryLock } from './file-lock.ts'

/** An image as it is kept, with where it came from. */
export interface StoredImage extends ImageInfo {
  source: 'recipe' | 'import'
}

/**
 * Images on disk: `<directory>/<id>/rootfs` and `<directory>/<id>/image.json`. A volume under another name is not an
 * image: `.partial-…` is one that comes or goes, with a lock beside it for as long as someone is at it.
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

  /** Newest first. */
  async list(): Promise<StoredImage[]> {
    const names = (await readdir(this.#directory).catch(unlessMissing)) ?? []
    const images = await Promise.all(names.map((name) => this.get(name)))
    return images.filter((image) => image !== undefined).toSorted((a, b) => b.createdAtMs - a.createdAtMs)
  }

  /**
   * Lets `fill` make an image in a new volume, and shows it when it is whole and on the disk. Whoever asks for the
   * same `name` meanwhile, in whatever process, waits for it. `fill` may find that the image exists; then its volume
   * is dropped.
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
      // Two imports under two references can come to the same image; the first one stays.
      if (!(await this.get(image.id))) throw error
    }
  }

  /** It is gone at once for everyone, and then from the disk. */
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

  /** Removes what a server that died has left half made. What can't be removed stays for the next time. */
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

/** One that cannot be looked at in this moment, for want of a descriptor, is not missing for that. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

const imageIdPattern = /^[a-z0-9][a-z0-9.-]*-[0-9a-f]{12}$/
/** A slow disk takes minutes for a gigabyte. */
const flushTimeoutMs = 1_800_000
