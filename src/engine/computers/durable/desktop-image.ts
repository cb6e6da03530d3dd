import type { BuildProgress, DriverImages } from '../../../drivers/driver.ts'

/** An image that is known before it is built. */
export interface PlannedImage {
  id: string
  /** The folder of its recipe; undefined for an image that exists. */
  recipe: string | undefined
}

/** How far the preparation of the image is. */
export type Preparation = { state: 'ready' | 'waiting' } | ({ state: 'building' } & BuildProgress) | Failed

interface Failed {
  state: 'failed'
  reason: string
}

/** The image of computers that keep their files. It is built while the server works already. */
export class DesktopImage implements PlannedImage {
  readonly id: string
  readonly recipe: string | undefined
  readonly #images: DriverImages
  #preparation: Preparation

  constructor(images: DriverImages, { id, recipe }: PlannedImage) {
    this.#images = images
    this.id = id
    this.recipe = recipe
    this.#preparation = { state: recipe === undefined ? 'ready' : 'waiting' }
  }

  get preparation(): Preparation {
    return this.#preparation
  }

  /** Returns whether computers can be created from it now. */
  async isReady(): Promise<boolean> {
    if (this.#preparation.state === 'ready') return true
    if (!(await this.#images.list()).some(({ id }) => id === this.id)) return false
    await this.#finish()
    return true
  }

  /** Resolves when the image exists. Calls share one build, which yields to everything else. Throws as `build` does. */
  async prepare(report: (progress: BuildProgress) => void): Promise<void> {
    if (this.recipe === undefined || (await this.isReady())) return
    const onProgress = (progress: BuildProgress) => {
      this.#preparation = { state: 'building', ...progress }
      report(progress)
    }
    try {
      await this.#images.build(this.recipe, onProgress, { background: true })
      await this.#finish()
    } catch (error) {
      this.#preparation = { state: 'failed', reason: error instanceof Error ? error.message : String(error) }
      throw error
    }
  }
  async #finish(): Promise<void> {
    await this.#images.keep(this.id)
    this.#preparation = { state: 'ready' }
  }
}
