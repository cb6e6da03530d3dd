import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'
import type { BuildProgress, DriverImages, ImageInfo } from '../../driver.ts'
import type { Storage } from '../storage/storage.ts'
import { buildImage, type BuildOptions } from './build-image.ts'
import { readDistribution } from './distribution.ts'
import { requireFreeSpace } from './free-space.ts'
import { ImageStore } from './image-store.ts'
import type { StoredImage } from './image-store.ts'
import { importImage } from './import-image.ts'
import { requireReference } from './oci-reference.ts'
import { readRecipe, type Recipe } from './recipe.ts'
import { recipeId } from './recipe-id.ts'
import { SharedWork } from './shared-work.ts'

export interface LocalImagesOptions {
  /** The directory of the images, on the file system of `storage`. Created by the first build. */
  storeDirectory: string
  storage: Storage
  /** A directory whose mounts all threads of the server share, for the builds; in their volumes by default. */
  mountsDirectory?: string
  /**
   * Returns the free space of the disk below, which can be less than that of the store's file system. Unlimited by
   * default.
   */
  headroomBytes?: () => number
  /** Returns whether a computer or snapshot uses the image. */
  isInUse: (imageId: string) => Promise<boolean>
}

/** The images of this host: built from recipes with the host's own package sources, or imported from OCI. */
export class LocalImages implements DriverImages {
  readonly #options: LocalImagesOptions
  readonly #store: ImageStore
  readonly #work = new SharedWork<BuildProgress, StoredImage>()
  readonly #kept = new Map<string, ReturnType<ImageStore['hold']>>()

  constructor(options: LocalImagesOptions) {
    this.#options = options
    this.#store = new ImageStore(options.storeDirectory, options.storage, options.mountsDirectory)
  }

  /** Returns all images, the newest first. */
  async list(): Promise<ImageInfo[]> {
    await this.#store.removeLeftovers()
    return (await this.#store.list()).map(toInfo)
  }

  async get(id: string): Promise<ImageInfo | undefined> {
    const image = await this.#store.get(id)
    return image && toInfo(image)
  }

  /** Returns the image with an id, or the newest one with a name. Built images have precedence over imported ones. */
  async resolve(name: string): Promise<ImageInfo | undefined> {
    const named = (await this.#store.list()).filter((image) => image.name === name)
    const image = (await this.#store.get(name)) ?? named.find(({ source }) => source === 'recipe') ?? named[0]
    return image && toInfo(image)
  }

  /** Returns the path of an image's own root file system. The image need not exist. */
  rootfs(id: string): string {
    return this.#store.rootfs(id)
  }

  /** Returns the root file systems that make up an image, the topmost first. Throws `image_missing`. */
  layers(id: string): Promise<string[]> {
    return this.#store.layers(id)
  }

  async idOf(recipeDirectory: string): Promise<string> {
    return recipeId(...(await Promise.all([readRecipe(recipeDirectory), readDistribution()])))
  }

  async build(
    recipeDirectory: string,
    progress: (step: BuildProgress) => void,
    { signal, background = false }: { signal?: AbortSignal | undefined; background?: boolean } = {},
  ): Promise<ImageInfo> {
    const [recipe, distribution] = await Promise.all([readRecipe(recipeDirectory), readDistribution()])
    return toInfo(await this.#build(recipe, { distribution, progress, signal, background }))
  }

  async #build(recipe: Recipe, { progress, ...options }: BuildOptions): Promise<StoredImage> {
    const id = await recipeId(recipe, options.distribution)
    const existing = await this.#store.get(id)
    if (existing && (!existing.from || (await this.#store.get(existing.from)))) return existing
    return this.#work.share(id, progress, async (report) => {
      let [own, ofBase] = [report, part(report, 0, 0.5)]
      const onBase = (step: BuildProgress) => {
        own = part(report, 0.5, 1)
        ofBase(step)
      }
      const base = recipe.from && (await this.#build(recipe.from, { ...options, progress: onBase }))
      await this.#prepare(recipe.freeBytes, recipe.name)
      own({ step: 'Starting', fraction: 0 })
      const held = base && (await this.#store.hold(base.id))
      try {
        return await this.#store.add(id, async (volume) => {
          const path = this.#store.mountPoint(volume)
          const lower = base && { from: base.id, below: await this.#store.layers(base.id), path }
          return buildImage(recipe, id, volume, { ...options, progress: own, base: lower })
        })
      } finally {
        await held?.release()
      }
    })
  }

  async import(reference: string, progress: (step: BuildProgress) => void): Promise<ImageInfo> {
    requireReference(reference)
    const image = await this.#work.share(reference, progress, async (report) => {
      await this.#prepare(importFreeBytes, reference)
      return this.#store.add(`import-${randomUUID()}`, (volume) =>
        importImage(reference, volume, (id) => this.#store.get(id), report),
      )
    })
    return toInfo(image)
  }

  async keep(id: string): Promise<void> {
    const held = this.#kept.get(id) ?? this.#store.hold(id)
    // In the same turn: of calls at the same time, one holds the image.
    this.#kept.set(id, held)
    await held.catch((error: unknown) => {
      this.#kept.delete(id)
      throw error
    })
  }

  /** Ends what `keep` began. */
  async close(): Promise<void> {
    await this.letGo()
  }

  /** Lets go of the images that `keep` holds, whose open files keep a failed pool busy. Returns their ids. */
  async letGo(): Promise<string[]> {
    const kept = [...this.#kept]
    this.#kept.clear()
    for (const [, held] of kept) await (await held).release()
    return kept.map(([id]) => id)
  }

  async remove(id: string): Promise<void> {
    const refuse = (reason: string) => {
      throw new CarrelError('conflict', `Cannot remove image "${id}": ${reason}`, { details: { image: id } })
    }
    if (await this.#options.isInUse(id)) refuse('a computer or snapshot uses it; delete that first')
    const above = (await this.#store.list()).find(({ from }) => from === id)
    if (above) refuse(`image "${above.id}" is built on it; remove that first`)
    await this.#store.remove(id)
  }

  async #prepare(neededBytes: number, image: string): Promise<void> {
    await mkdir(this.#options.storeDirectory, { recursive: true })
    await this.#store.removeLeftovers()
    const { storeDirectory, headroomBytes } = this.#options
    await requireFreeSpace(storeDirectory, neededBytes, image, headroomBytes?.())
  }
}

function toInfo({ source: _, from: _from, ...info }: StoredImage): ImageInfo {
  return info
}

/** Returns a listener for a part of the work, whose fractions are those from `start` to `end` of the whole. */
function part(report: (progress: BuildProgress) => void, start: number, end: number) {
  return ({ step, fraction }: BuildProgress) =>
    report({ step, ...(fraction === undefined ? {} : { fraction: start + fraction * (end - start) }) })
}

/** The size of an image is unknown before it is fetched. This is the size of a common one, packed and unpacked. */
const importFreeBytes = 1_000_000_000
