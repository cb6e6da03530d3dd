import { join } from 'node:path'
import { HelperStates } from '../../../helper-states.ts'
import type { Cgroups } from '../cgroups/cgroups.ts'
import { openCgroups } from '../cgroups/open-cgroups.ts'
import { ComputerStore } from '../computers/computer-store.ts'
import { GuestFiles } from '../containers/guest-files.ts'
import { raiseHostLimits } from '../host/host-limits.ts'
import { shareMounts } from '../host/mounts.ts'
import { makePrivate } from '../host/private-directory.ts'
import { Lxcfs } from '../lxcfs/lxcfs.ts'
import { Paths } from '../paths.ts'
import { DiskGuard } from '../storage/disk-guard.ts'
import { endPoolUsers } from '../storage/end-pool-users.ts'
import { openPool, type Pool } from '../storage/pool.ts'
import type { LocalDriverOptions } from './driver-options.ts'

/** What the driver uses of the host. */
export interface PreparedHost {
  paths: Paths
  pool: Pool
  guard: DiskGuard
  guestFiles: GuestFiles
  helpers: HelperStates
  /** undefined where the host has no lxcfs. */
  lxcfs: Lxcfs | undefined
  cgroups: Cgroups
  store: ComputerStore
  limitations: string[]
}

/** Opens the storage pool, the shared mounts, lxcfs and the control groups, and raises the host's limits. */
export async function prepareHost(options: LocalDriverOptions): Promise<PreparedHost> {
  const { log } = options
  const paths = new Paths(options.dataDirectory)
  await makePrivate(paths.data)
  await makePrivate(paths.runtime)
  const pool = await openPool(paths.data, () => endPoolUsers(paths))
  const guard = await DiskGuard.open({
    directory: paths.data,
    poolDirectory: pool.directory,
    reserveBytes: options.diskReserveBytes,
    log,
  })
  await shareMounts(paths.mounts)
  // The mode of the data directory would be enough, but an operator may open that directory.
  for (const directory of [pool.directory, paths.mounts, join(paths.data, 'computers')]) await makePrivate(directory)
  const guestFiles = await GuestFiles.open(paths.guestFiles)
  const helpers = new HelperStates()
  const lxcfs = await Lxcfs.open({ paths, helpers, log })
  const cgroups = openCgroups(paths)
  const limitations = [...pool.limitations, ...raiseHostLimits(log)]
  const store = new ComputerStore(paths)
  await store.load()
  return { paths, pool, guard, guestFiles, helpers, lxcfs, cgroups, store, limitations }
}
