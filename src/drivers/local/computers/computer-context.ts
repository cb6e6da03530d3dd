import type { KeyedLock } from '../../../keyed-lock.ts'
import type { DriverLog } from '../../driver-log.ts'
import type { Cgroups } from '../cgroups/cgroups.ts'
import type { CompiledSeccomp } from '../containers/compiled-seccomp.ts'
import type { GuestFiles } from '../containers/guest-files.ts'
import type { Runtime } from '../containers/runtime.ts'
import type { LocalImages } from '../images/local-images.ts'
import type { Lxcfs } from '../lxcfs/lxcfs.ts'
import type { Monitors } from '../monitors/monitors.ts'
import type { SlotPool } from '../network/slot-pool.ts'
import type { Slots } from '../network/slots.ts'
import type { Paths } from '../paths.ts'
import type { DiskView } from '../storage/disk-view.ts'
import type { DiskShares } from '../storage/disk-shares.ts'
import type { Volumes } from '../storage/volumes.ts'
import type { ComputerRoots } from './computer-roots.ts'
import type { ComputerStates } from './computer-states.ts'
import type { ComputerStore } from './computer-store.ts'
import type { CpuAllocator } from './cpu-allocator.ts'

/** The parts of the driver that computers are made of. */
export interface ComputerParts {
  paths: Paths
  store: ComputerStore
  volumes: Volumes
  disks: DiskView
  diskShares: DiskShares
  images: LocalImages
  slots: Slots
  slotPool: SlotPool
  runtime: Runtime
  cgroups: Cgroups
  monitor: () => Monitors
  guestFiles: GuestFiles
  lxcfs: Lxcfs | undefined
  log: DriverLog | undefined
}

/** What the verbs of this folder share. Functions declare the parts that they use. */
export interface ComputerContext extends ComputerParts {
  /** Work on one computer is done in turn. */
  lock: KeyedLock
  states: ComputerStates
  roots: ComputerRoots
  seccomp: CompiledSeccomp
  cpus: CpuAllocator
}
