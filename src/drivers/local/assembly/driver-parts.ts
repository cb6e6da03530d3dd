import { join } from 'node:path'
import { limits, outputTotalBytes } from '../../../config/limits.ts'
import type { DriverCapabilities } from '../../driver.ts'
import { LocalComputers } from '../computers/local-computers.ts'
import { Runtime } from '../containers/runtime.ts'
import { FilesByComputer } from '../files/files-by-computer.ts'
import { LocalImages } from '../images/local-images.ts'
import { JournalGauge } from '../monitors/journal-gauge.ts'
import { MonitorRecovery } from '../monitors/monitor-recovery.ts'
import { Monitors } from '../monitors/monitors.ts'
import { SlotPool } from '../network/slot-pool.ts'
import { Slots } from '../network/slots.ts'
import { LocalProcesses } from '../processes/local-processes.ts'
import { Searches } from '../search/searches.ts'
import { DiskShares } from '../storage/disk-shares.ts'
import { DiskView } from '../storage/disk-view.ts'
import { isDiskFull } from '../storage/is-disk-full.ts'
import { PoolMaintenance } from '../storage/pool-maintenance.ts'
import { PoolRecovery } from '../storage/pool-recovery.ts'
import { Volumes } from '../storage/volumes.ts'
import { Transfers } from '../transfers/transfers.ts'
import { capabilitiesOf } from './capabilities.ts'
import { DriverListeners } from './driver-listeners.ts'
import type { LocalDriverOptions } from './driver-options.ts'
import type { PreparedHost } from './prepare-host.ts'

/** The parts of the driver that exist before the host is opened for computers. */
interface BaseParts extends PreparedHost {
  options: LocalDriverOptions
  capabilities: DriverCapabilities
  listeners: DriverListeners
  runtime: Runtime
  volumes: Volumes
  images: LocalImages
  disks: DiskView
  diskShares: DiskShares
  slots: Slots
  slotPool: SlotPool
}

export interface DriverParts extends BaseParts {
  monitors: Monitors
  monitorRecovery: MonitorRecovery
  journals: JournalGauge
  computers: LocalComputers
  processes: LocalProcesses
  files: FilesByComputer
  transfers: Transfers
  poolMaintenance: PoolMaintenance
}

/** Creates the parts of the driver and connects them. Starts nothing. */
export function createParts(options: LocalDriverOptions, host: PreparedHost): DriverParts {
  const base = createBase(options, host)
  const monitorRecovery = new MonitorRecovery({
    monitors: () => monitors,
    computers: () => computers,
    processes: () => processes,
    log: options.log,
  })
  const monitors = createMonitors(base, {
    onEvent: (event) => {
      if (event.event === 'container-exit')
        computers.exited(event.computerId, event.reason === 'oom' ? 'oom' : 'exited')
      else void processes.handle(event)
    },
    onSilence: () => processes.endOverdue(),
    onLost: (loss) => monitorRecovery.recover(loss),
  })
  const computers = createComputers(base, monitors)
  const processes = createProcesses(base, monitors)
  const files = new FilesByComputer({
    computers,
    guard: host.guard,
    searches: new Searches(join(host.paths.runtime, 'search')),
  })
  const transfers = createTransfers(base)
  return {
    ...base,
    monitors,
    monitorRecovery,
    journals: new JournalGauge(monitors),
    computers,
    processes,
    files,
    transfers,
    poolMaintenance: createPoolMaintenance(base, { computers, files, transfers }),
  }
}

function createBase(options: LocalDriverOptions, host: PreparedHost): BaseParts {
  const { paths, pool } = host
  const runtime = Runtime.find(options.runtime, join(paths.runtime, 'runtime'))
  const volumes = new Volumes(pool.storage, pool.directory)
  const slots = new Slots({
    directory: paths.slots,
    interfacePrefix: paths.interfacePrefix,
    network: options.network,
  })
  return {
    ...host,
    options,
    capabilities: capabilitiesOf(host, runtime, Boolean(options.runtime)),
    listeners: new DriverListeners(),
    runtime,
    volumes,
    images: createImages(host, volumes),
    disks: new DiskView(),
    diskShares: new DiskShares(),
    slots,
    slotPool: new SlotPool(slots, options.networkPoolSize),
  }
}

function createImages({ pool, guard, store, paths }: PreparedHost, volumes: Volumes): LocalImages {
  return new LocalImages({
    storeDirectory: join(pool.directory, 'images'),
    storage: pool.storage,
    mountsDirectory: join(paths.mounts, 'build'),
    headroomBytes: () => guard.filesHeadroomBytes,
    isInUse: async (imageId) =>
      store.all().some(({ image }) => image === imageId) || volumes.isImageInSnapshot(imageId),
  })
}

function createMonitors(
  { paths, guard, helpers, options }: BaseParts,
  handlers: Pick<ConstructorParameters<typeof Monitors>[0], 'onEvent' | 'onSilence' | 'onLost'>,
): Monitors {
  return new Monitors({
    directory: paths.runtime,
    logPath: join(paths.data, 'monitor.log'),
    log: options.log,
    journalBounds: {
      computerBytes: limits.outputPerComputerBytes,
      ownerBytes: limits.outputPerAccountBytes,
      allBytes: outputTotalBytes(guard.state.sizeBytes),
    },
    helpers,
    ...handlers,
  })
}

function createComputers(base: BaseParts, monitors: Monitors): LocalComputers {
  return new LocalComputers({
    ...base,
    monitor: () => monitors,
    log: base.options.log,
    onStopped: (id, reason) => base.listeners.stopped(id, reason),
  })
}

function createProcesses(base: BaseParts, monitors: Monitors): LocalProcesses {
  const { paths, runtime, cgroups, listeners } = base
  return new LocalProcesses({
    paths,
    monitor: () => monitors,
    execCommand: runtime.execCommand,
    cgroupFiles: (id) => {
      const { groups, ...files } = cgroups.files(paths.cgroup(id))
      return groups && (!groups.byRuntime || runtime.takesExecGroups) ? { ...files, groups } : files
    },
    isDiskFull: (id) => isDiskFull(base, id),
    onOutput: (process) => listeners.output(process),
  })
}

function createTransfers({ pool, volumes, images, guard, capabilities, options }: BaseParts): Transfers {
  return new Transfers({
    poolDirectory: pool.directory,
    storage: pool.storage,
    volumes,
    images,
    guard,
    formats: capabilities.snapshotFormats,
    log: options.log,
  })
}

function createPoolMaintenance(
  { paths, pool, guard, images, diskShares, listeners, options }: BaseParts,
  users: { computers: LocalComputers; files: FilesByComputer; transfers: Transfers },
): PoolMaintenance {
  const { log } = options
  const recovery = new PoolRecovery({
    poolDirectory: pool.directory,
    guard,
    images,
    ...users,
    onLost: (id) => listeners.stopped(id, 'lost'),
    log,
  })
  return new PoolMaintenance({
    dataDirectory: paths.data,
    poolDirectory: pool.directory,
    isInFile: pool.isInFile,
    guard,
    guests: diskShares,
    onReadOnly: () => recovery.recover(),
    log,
  })
}
