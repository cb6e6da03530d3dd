import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { idMap } from '../system/id-map.ts'

export interface ShiftedTree {
  /** Number of files, directories and links. A file with several names counts once. */
  files: number
  /** Bytes that they take on the disk. */
  bytes: number
}

/**
 * Changes the owners of all files in a directory to their host ids. Set-user-ID bits stay. Device nodes are removed, as
 * an image could have one of the host's disk. File capabilities are removed too: a program with a capability that a
 * computer lacks cannot be started, and the few programs that have any (`ping`) work without. Owners that
 * are host ids of a computer stay. Runs on a separate thread.
 */
export async function shiftOwners(directory: string): Promise<ShiftedTree> {
  const worker = new Worker(new URL('shift-owners-worker.ts', import.meta.url), { workerData: { directory, idMap } })
  const [shifted] = (await once(worker, 'message')) as [ShiftedTree]
  return shifted
}
