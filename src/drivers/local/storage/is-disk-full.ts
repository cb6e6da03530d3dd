import type { ComputerStore } from '../computers/computer-store.ts'
import type { DiskShares } from './disk-shares.ts'
import type { Volumes } from './volumes.ts'

interface Context {
  store: Pick<ComputerStore, 'get'>
  volumes: Pick<Volumes, 'used'>
  diskShares: Pick<DiskShares, 'limitOf'>
}

/** Returns whether a computer has less than 1 % of its disk or 4 MiB left. False when it is removed or not measured. */
export async function isDiskFull({ store, volumes, diskShares }: Context, id: string): Promise<boolean> {
  const usedBytes = await volumes.used(id).catch(() => undefined)
  const diskBytes = diskShares.limitOf(id) ?? store.get(id)?.limits.diskBytes
  if (usedBytes === undefined || diskBytes === undefined) return false
  return diskBytes - usedBytes < Math.max(diskBytes / 100, minFreeBytes)
}

const minFreeBytes = 4 * 1024 * 1024
