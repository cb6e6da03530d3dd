import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Volumes } from '../storage/volumes.ts'

/**
 * Returns whether a computer or snapshot of a data directory uses an image, as the files there say: for programs that
 * work beside a server.
 */
export async function isImageStored(dataDirectory: string, volumes: Volumes, image: string): Promise<boolean> {
  const directory = join(dataDirectory, 'computers')
  for (const id of await readdir(directory).catch(() => [])) {
    const text = await readFile(join(directory, id, 'computer.json'), 'utf8').catch(() => undefined)
    if (text !== undefined && (JSON.parse(text) as { image?: string }).image === image) return true
  }
  return volumes.isImageInSnapshot(image)
}
