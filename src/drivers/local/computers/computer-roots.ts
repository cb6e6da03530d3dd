import { mkdir, rm } from 'node:fs/promises'
import { mountOverlay, unmount } from '../host/mounts.ts'
import type { LocalImages } from '../images/local-images.ts'
import type { Paths } from '../paths.ts'
import type { Volumes } from '../storage/volumes.ts'
import type { ComputerRecord } from './computer-store.ts'

interface Options {
  paths: Paths
  volumes: Volumes
  images: LocalImages
}

/** The mounted root file systems of computers: each is an overlay of the computer's volume over its image. */
export class ComputerRoots {
  readonly #options: Options
  readonly #mounted = new Set<string>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Records a root that an earlier server mounted. */
  adopt(id: string): void {
    this.#mounted.add(id)
  }

  isMounted(id: string): boolean {
    return this.#mounted.has(id)
  }

  /** Does nothing when the root is mounted. */
  async mount(record: ComputerRecord): Promise<void> {
    if (this.#mounted.has(record.id)) return
    const { paths, volumes, images } = this.#options
    const root = paths.root(record.id)
    await mkdir(root, { recursive: true })
    await mountOverlay(root, await images.layers(record.image), volumes.path(record.id))
    this.#mounted.add(record.id)
  }

  async unmount(id: string): Promise<void> {
    await unmount(this.#options.paths.root(id))
    this.#mounted.delete(id)
  }

  async unmountAll(): Promise<void> {
    for (const id of this.#mounted) await this.unmount(id)
  }

  /** Unmounts a root and removes its mount point. */
  async remove(id: string): Promise<void> {
    await this.unmount(id)
    await rm(this.#options.paths.root(id), { recursive: true, force: true })
  }
}
