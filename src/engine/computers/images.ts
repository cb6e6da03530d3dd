import type { Logger } from 'pino'
import type { DriverImages, ImageInfo } from '../../drivers/driver.ts'
import type { Context } from '../context.ts'
import type { ImageDefaults } from './computers.ts'

/** Returns the images that computers can be created from. */
export function computerImages({ driver }: Pick<Context, 'driver'>): Promise<ImageInfo[]> {
  return driver.images.list()
}

/**
 * The defaults that processes get from the image of their computer. Computers of several images exist side by side, as
 * a running computer keeps its image when `CARREL_IMAGE` changes. An image never changes, so each is read once.
 */
export class Images {
  readonly #driver: Pick<DriverImages, 'list'>
  readonly #log: Pick<Logger, 'warn'>
  readonly #default: ImageDefaults
  readonly #known: Map<string, ImageDefaults>

  /** @param defaultImage the image that new computers get */
  constructor(driver: Pick<DriverImages, 'list'>, log: Pick<Logger, 'warn'>, defaultImage: ImageDefaults) {
    this.#driver = driver
    this.#log = log
    this.#default = defaultImage
    this.#known = new Map([[defaultImage.id, defaultImage]])
  }

  /**
   * Returns the defaults of an image, synchronously when they are known. An image that no longer exists gets the
   * defaults of the default image.
   */
  of(id: string): ImageDefaults | Promise<ImageDefaults> {
    return this.#known.get(id) ?? this.#read(id)
  }

  async #read(id: string): Promise<ImageDefaults> {
    for (const image of await this.#driver.list()) this.#known.set(image.id, image)
    const known = this.#known.get(id)
    if (known) return known
    this.#log.warn(
      { image: id },
      'the image of a computer no longer exists: its programs get the defaults of the current image',
    )
    this.#known.set(id, this.#default)
    return this.#default
  }
}
