import { statfs } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'

/**
 * Throws `no_capacity` when the file system of a directory, or the disk below it (`headroomBytes`), has less free space
 * than `neededBytes`.
 */
export async function requireFreeSpace(
  directory: string,
  neededBytes: number,
  image: string,
  headroomBytes = Infinity,
): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const freeBytes = Math.max(0, Math.min(bavail * bsize, headroomBytes))
  if (freeBytes >= neededBytes) return
  const reason = `"${directory}" has ${gigabytes(freeBytes)} GB free of the ${gigabytes(neededBytes)} GB needed`
  const remedy = 'remove images or computers, or move the data directory to a larger disk'
  throw new CarrelError('no_capacity', `Cannot create image "${image}": ${reason}; ${remedy}`, {
    details: { freeBytes, neededBytes },
  })
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}
