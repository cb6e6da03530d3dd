import type { Logger } from 'pino'
import type { DriverImages } from '../../drivers/driver.ts'
import type { ImageDefaults } from './computers.ts'

/**
 * What processes get of the image that their computer was made from. Computers of several images exist side by side, as
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
   * Returns the defaults of an image, at once for one that is known. The default image stands in for one that is gone.
   */
  of(id: string): ImageDefaults | Promise<ImageDefaults> {
    return this.#known.get(id) ?? this.#read(id)
  }

  async #read(id: string): Promise<ImageDefaults> {
    for (const image of await this.#driver.list()) this.#known.set(image.id, image)
    const known = this.#known.get(id)
    if (known) return known
    this.#log.warn({ image: id }, 'an image of a computer is gone: its programs get the defaults of the present one')
    this.#known.set(id, this.#default)
    return this.#default
  }
}
