import type { ImageInfo } from '../../driver.ts'

/** Prints images as JSON, or a line each: id, size, time of creation. */
export function printImages(images: readonly ImageInfo[], { json }: { json: boolean }): void {
  if (json) process.stdout.write(`${JSON.stringify(images)}\n`)
  else for (const image of images) process.stdout.write(`${lineOf(image)}\n`)
}

function lineOf({ id, sizeBytes, createdAtMs }: ImageInfo): string {
  const created = new Date(createdAtMs).toISOString().slice(0, 16).replace('T', ' ')
  return `${id.padEnd(40)} ${`${Math.ceil(sizeBytes / 1e6)} MB`.padStart(9)}  ${created}`
}
