import type { ComputerContext } from './computer-context.ts'
import type { ComputerRecord } from './computer-store.ts'

/** Shows a running computer the use of its disk, and includes it in the sharing of the last free space. */
export async function showDisk(
  { disks, volumes, diskShares, guestFiles }: Pick<ComputerContext, 'disks' | 'volumes' | 'diskShares' | 'guestFiles'>,
  { id, limits }: ComputerRecord,
): Promise<void> {
  const gauge = await volumes.gauge(id)
  await guestFiles.add(id)
  await disks.add(id, guestFiles.disk(id), limits.diskBytes, gauge)
  const setLimit = (bytes: number) => volumes.limit(id, bytes)
  if (gauge) diskShares.add(id, { limitBytes: limits.diskBytes, gauge, setLimit })
}
