import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { DriverImages, ImageInfo } from '../drivers/driver.ts'
import { showProgress } from './progress.ts'

const recipes = new URL('../../images/', import.meta.url).pathname

/**
 * Returns the image that computers start from, and builds it first if its recipe has not been built; rejects when
 * `signal` aborts. `name` is a recipe in images/, a folder with one, or an imported image.
 */
export async function findImage(images: DriverImages, name: string, signal: AbortSignal): Promise<ImageInfo> {
  const folder = isAbsolute(name) ? name : join(recipes, name)
  if (!existsSync(folder)) {
    const imported = (await images.list()).find((image) => image.id === name || image.name === name)
    if (imported) return imported
    throw new Error(
      `Cannot start: CARREL_IMAGE is "${name}", but there is neither a recipe nor an image of that name; use "base", "slim" or a folder with a recipe`,
    )
  }
  const progress = showProgress(`Building the image "${name}"`)
  try {
    return await images.build(folder, progress.step, { signal })
  } finally {
    progress.end()
  }
}
