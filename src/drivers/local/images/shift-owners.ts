import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { idMap } from '../system/id-map.ts'

export interface ShiftedTree {
  /** Files, directories and links, each counted once whatever its names. */
  files: number
  /** Space that they take on the disk, in bytes. */
  bytes: number
}

/**
 * Gives every file under a directory to the host ids of its owners. Set-user-id bits stay. Device nodes go: an image
 * could bring one of the host's disk. File capabilities go too: a program that has them can't be started in a
 * computer that is without one of them, while the few that come with any (`ping`) work without. Must be called once
 * for a tree; runs on a thread of its own.
 */
export async function shiftOwners(directory: string): Promise<ShiftedTree> {
  const worker = new Worker(new URL('shift-owners-worker.ts', import.meta.url), { workerData: { directory, idMap } })
  const [shifted] = (await once(worker, 'message')) as [ShiftedTree]
  return shifted
}
