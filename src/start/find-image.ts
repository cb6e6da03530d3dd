import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { DriverImages, ImageInfo } from '../drivers/driver.ts'
import type { PlannedImage } from '../engine/computers/durable/desktop-image.ts'
import { showProgress } from './progress.ts'

const recipes = new URL('../../images/', import.meta.url).pathname

/**
 * Returns the image that computers start from, and builds it first if its recipe has not been built; rejects when
 * `signal` aborts. `name` is a recipe in images/, a folder with one, or an imported image.
 */
export async function findImage(images: DriverImages, name: string, signal: AbortSignal): Promise<ImageInfo> {
  const folder = recipeOf(name)
  if (folder === undefined) return findImported(images, name, 'CARREL_IMAGE')
  const progress = showProgress(`Building the image "${name}"`)
  try {
    return await images.build(folder, progress.step, { signal })
  } finally {
    progress.end()
  }
}

/**
 * Returns the image of computers that keep their files, which need not be built yet; undefined when they get the same
 * image as all others. `name` is as for `findImage`.
 */
export async function planDesktopImage(
  images: DriverImages,
  name: string | undefined,
): Promise<PlannedImage | undefined> {
  if (name === undefined) return undefined
  const recipe = recipeOf(name)
  if (recipe !== undefined) return { id: await images.idOf(recipe), recipe }
  return { id: (await findImported(images, name, 'CARREL_DESKTOP_IMAGE')).id, recipe }
}

function recipeOf(name: string): string | undefined {
  const folder = isAbsolute(name) ? name : join(recipes, name)
  return existsSync(folder) ? folder : undefined
}

async function findImported(images: DriverImages, name: string, setting: string): Promise<ImageInfo> {
  const imported = (await images.list()).find((image) => image.id === name || image.name === name)
  if (imported) return imported
  throw new Error(
    `Cannot start: ${setting} is "${name}", but there is neither a recipe nor an image of that name; use "base", "slim" or a folder with a recipe`,
  )
}
