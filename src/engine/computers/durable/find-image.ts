import { basename } from 'node:path'
import type { ImageInfo } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Returns the id of the image that a client asks for by its id, or by the name of its recipe or import: the newest image
 * of that name, or the one with a desktop, which need not be built yet. Throws `not_found`, which says what there is.
 */
export async function findImageId(
  { driver, defaultImage, desktopImage }: Pick<ComputersContext, 'driver' | 'defaultImage' | 'desktopImage'>,
  wanted: string,
): Promise<string> {
  if (wanted === defaultImage.id || wanted === desktopImage.id) return wanted
  const images = await driver.images.list()
  const planned = desktopImage.recipe === undefined ? undefined : basename(desktopImage.recipe)
  const exact = images.find(({ id }) => id === wanted)
  if (exact) return exact.id
  if (wanted === planned) return desktopImage.id
  const newest = newestNamed(images, wanted)
  if (newest) return newest.id
  throw noImage(wanted, [...(planned === undefined ? [] : [planned]), ...images.map(({ name }) => name)])
}

/** Returns the image with an id, or the newest one with a name. Throws `not_found`, which says what there is. */
export function requireImage(images: readonly ImageInfo[], wanted: string): ImageInfo {
  const found = images.find(({ id }) => id === wanted) ?? newestNamed(images, wanted)
  if (found) return found
  throw noImage(
    wanted,
    images.map(({ name }) => name),
  )
}

function newestNamed(images: readonly ImageInfo[], wanted: string): ImageInfo | undefined {
  return images.filter(({ name }) => name === wanted).toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]
}

function noImage(wanted: string, names: readonly string[]): CarrelError {
  const all = [...new Set(names)].toSorted()
  const listed = all.slice(0, maxListed).map((name) => JSON.stringify(name))
  const rest = all.length > maxListed ? ` and ${all.length - maxListed} more` : ''
  const there = all.length === 0 ? 'there is no image' : `there is ${listed.join(', ')}${rest}`
  return new CarrelError('not_found', `Cannot find image ${JSON.stringify(wanted.slice(0, 128))}: ${there}`)
}

/** How many names an error lists. */
const maxListed = 20
