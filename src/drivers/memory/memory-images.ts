import { basename } from 'node:path'
import { CarrelError } from '../../errors.ts'
import type { BuildProgress, DriverImages, ImageInfo } from '../driver.ts'
import { makeGuestTree } from './guest-tree.ts'
import type { MemoryHost } from './memory-host.ts'

/**
 * Images whose files the driver provides. A recipe is not read: the name of its folder becomes the name of the image.
 */
export class MemoryImages implements DriverImages {
  readonly #host: MemoryHost
  readonly #kept = new Set<string>()

  constructor(host: MemoryHost) {
    this.#host = host
  }

  async list(): Promise<ImageInfo[]> {
    return [...this.#host.images.values()].map(({ info }) => info)
  }

  async idOf(recipeDirectory: string): Promise<string> {
    return `${basename(recipeDirectory)}-in-memory`
  }

  async build(recipeDirectory: string, progress: (step: BuildProgress) => void): Promise<ImageInfo> {
    const name = basename(recipeDirectory)
    const id = await this.idOf(recipeDirectory)
    const existing = this.#host.images.get(id)
    if (existing) return existing.info
    progress({ step: 'Making files' })
    const info: ImageInfo = {
      id,
      name,
      sizeBytes: 2 * 1024 * 1024,
      createdAtMs: Date.now(),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
      user: 'node',
      workdir: '/workspace',
    }
    this.#host.images.set(id, { info, root: makeGuestTree() })
    return info
  }

  async import(): Promise<ImageInfo> {
    throw new CarrelError('invalid_request', 'Cannot import the image: this driver has only its own images')
  }

  async keep(id: string): Promise<void> {
    this.#kept.add(id)
  }

  async remove(id: string): Promise<void> {
    const isUsed = (image: string) => image === id
    const { computers, snapshots } = this.#host
    if (this.#kept.has(id) || [...computers.values(), ...snapshots.values()].some(({ image }) => isUsed(image)))
      throw new CarrelError('conflict', `Cannot remove image "${id}": a computer uses it`)
    this.#host.images.delete(id)
  }
}
