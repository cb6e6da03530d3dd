import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { CarrelError } from '../../errors.ts'
import { HelperStates, type HelperState } from '../../helper-states.ts'
import type {
  ComputerFiles,
  ComputerSpec,
  ComputerStats,
  Driver,
  DriverCapabilities,
  DriverMetrics,
  ExecSpec,
  ExistingComputer,
  Listener,
  LostProcess,
  OutputChunk,
  ProcessHandle,
  StopReason,
} from '../driver.ts'
import type { Cgroups } from './cgroups/cgroups.ts'
import { openCgroups } from './cgroups/open-cgroups.ts'
import { ComputerStore } from './computers/computer-store.ts'
import { findProgram, Runtime } from './containers/runtime.ts'
import { endPoolUsers } from './storage/end-pool-users.ts'
import { LocalComputerFiles } from './files/computer-files.ts'
import { quote } from '../files/computer-path.ts'
import type { DriverLog } from '../driver-log.ts'
import { GuestFiles } from './containers/guest-files.ts'
import { raiseHostLimits } from './host/host-limits.ts'
import { toHostId } from './system/id-map.ts'
import { LocalImages } from './images/local-images.ts'
import { LocalComputers } from './computers/local-computers.ts'
import { LocalProcesses } from './processes/local-processes.ts'
import { DiskView } from './storage/disk-view.ts'
import { Lxcfs } from './lxcfs/lxcfs.ts'
import type { MonitorEvent } from './monitor/protocol.ts'
import { Monitors, type MonitorLoss } from './monitors/monitors.ts'
import { shareMounts } from './host/mounts.ts'
import { dialComputer } from './network/dial.ts'
import { openFirewall } from './network/firewall.ts'
import { Listeners } from './network/listeners.ts'
import { findResolvers } from './network/resolvers.ts'
import { SlotPool } from './network/slot-pool.ts'
import { Slots } from './network/slots.ts'
import { Paths } from './paths.ts'
import { restoreNull } from './host/restore-null.ts'
import { DiskGuard } from './storage/disk-guard.ts'
import { GuestRoom } from './storage/guest-room.ts'
import { PoolCare } from './storage/pool-care.ts'
import { openPool, reopenPool, type Pool } from './storage/pool.ts'
import { watchPool } from './storage/watch-pool.ts'
import { outputTotalBytes, limits } from '../../config/limits.ts'
import { Volumes } from './storage/volumes.ts'

export interface LocalDriverOptions {
  dataDirectory: string
  /** Name or path of the OCI runtime; crun, else runc, when undefined. */
  runtime: string | undefined
  /** First two numbers of the /16 that computers' addresses are from. */
  network: string
  /** `address[/bits][:port]` that computers may reach although it is private. */
  allowedAddresses: string[]
  /** Name servers for computers; the host's own when empty. */
  resolvers: string[]
  /** Network namespaces that are kept ready. */
  networkPoolSize: number
  /** Of the disk, for the server alone; a share of it when undefined. */
  diskReserveBytes?: number | undefined
  /** Is told what an operator should know; nobody when undefined. */
  log?: DriverLog
}

/** Computers on this host: OCI containers over overlays on a btrfs pool. */
export class LocalDriver implements Driver {
  readonly name = 'local'
  readonly capabilities: DriverCapabilities
  readonly images: LocalImages
  readonly #paths: Paths
  readonly #volumes: Volumes
  readonly #cgroups: Cgroups
  readonly #slotPool: SlotPool
  readonly #computers: LocalComputers
  readonly #processes: LocalProcesses
  readonly #disks = new DiskView()
  readonly #guard: DiskGuard
  readonly #guestRoom = new GuestRoom()
  readonly #poolCare: PoolCare
  readonly #files = new Map<string, LocalComputerFiles>()
  readonly #listeners = new Listeners()
  readonly #stoppedListeners: ((id: string, reason: StopReason) => void)[] = []
  readonly #log: DriverLog | undefined
  readonly #monitors: Monitors
  readonly #helpers: HelperStates
  readonly #stopWatchingPool: () => void
  readonly #lxcfs: Lxcfs | undefined
  #closed = false
  #journalBytes = 0
  #isMeasuring = false
  readonly #guestFiles: GuestFiles
  #isPoolLost = false
  readonly #lostWithPool = new Set<string>()
  readonly #outputListeners: ((process: ProcessHandle) => void)[] = []

  /** Prepares the host and takes back what goes on from before. Rejects with one sentence when this host cannot run computers. */
  static async open(options: LocalDriverOptions): Promise<LocalDriver> {
    const paths = new Paths(options.dataDirectory)
    await makePrivate(paths.data)
    await makePrivate(paths.runtime)
    const pool = await openPool(paths.data, () => endPoolUsers(paths))
    const guard = await DiskGuard.open({
      directory: paths.data,
      poolDirectory: pool.directory,
      reserveBytes: options.diskReserveBytes,
      log: options.log,
    })
    await shareMounts(paths.mounts)
    // The data directory's mode alone would do; an operator may open that.
    for (const directory of [pool.directory, paths.mounts, join(paths.data, 'computers')]) await makePrivate(directory)
    const guestFiles = await GuestFiles.open(paths.guestFiles)
    const helpers = new HelperStates()
    const lxcfs = await Lxcfs.open({ paths, helpers, log: options.log })
    const cgroups = openCgroups(paths)
    const limitations = [...pool.limitations, ...raiseHostLimits(options.log)]
    const store = new ComputerStore(paths)
    await store.load()
    const driver = new LocalDriver({
      options,
      paths,
      pool,
      guard,
      guestFiles,
      helpers,
      lxcfs,
      cgroups,
      store,
      limitations,
    })
    try {
      await driver.#open(options)
    } catch (error) {
      await driver.close()
      throw error
    }
    return driver
  }

  private constructor(parts: {
    options: LocalDriverOptions
    paths: Paths
    pool: Pool
    guard: DiskGuard
    guestFiles: GuestFiles
    helpers: HelperStates
    lxcfs: Lxcfs | undefined
    cgroups: Cgroups
    store: ComputerStore
    limitations: string[]
  }) {
    const { options, paths, pool, guard, helpers, lxcfs, cgroups, store } = parts
    this.#helpers = helpers
    this.#guestFiles = parts.guestFiles
    this.#stopWatchingPool = watchPool(pool.directory, helpers)
    this.#lxcfs = lxcfs
    this.#paths = paths
    this.#guard = guard
    this.#log = options.log
    this.#cgroups = cgroups
    this.#volumes = new Volumes(pool.storage, pool.directory)
    this.images = new LocalImages({
      storeDirectory: join(pool.directory, 'images'),
      storage: pool.storage,
      roomBytes: () => guard.filesRoomBytes,
      isInUse: async (imageId) =>
        store.all().some(({ image }) => image === imageId) || (await this.#snapshotImages()).includes(imageId),
    })
    const runtime = Runtime.find(options.runtime, join(paths.runtime, 'runtime'))
    const slots = new Slots({
      directory: paths.slots,
      interfacePrefix: paths.interfacePrefix,
      network: options.network,
    })
    this.#slotPool = new SlotPool(slots, options.networkPoolSize)
    this.#monitors = new Monitors({
      directory: paths.runtime,
      logPath: join(paths.data, 'monitor.log'),
      log: options.log,
      journalBounds: {
        computerBytes: limits.outputPerComputerBytes,
        ownerBytes: limits.outputPerAccountBytes,
        allBytes: outputTotalBytes(guard.state.sizeBytes),
      },
      helpers,
      onEvent: (event) => this.#handle(event),
      onSilence: () => this.#processes.endOverdue(),
      onLost: (loss) =>
        void this.#monitorLost(loss).catch((error: unknown) =>
          this.#log?.warn({ err: error }, 'cannot clear away what a lost process monitor left'),
        ),
    })
    const monitor = () => this.#monitors
    this.#computers = new LocalComputers({
      paths,
      store,
      volumes: this.#volumes,
      disks: this.#disks,
      guestRoom: this.#guestRoom,
      images: this.images,
      slots,
      slotPool: this.#slotPool,
      runtime,
      cgroups,
      monitor,
      guestFiles: parts.guestFiles,
      lxcfs,
      log: options.log,
      onStopped: (id, reason) => {
        for (const listener of this.#stoppedListeners) listener(id, reason)
      },
    })
    this.#processes = new LocalProcesses({
      paths,
      monitor,
      execCommand: runtime.execCommand,
      cgroupFiles: (id) => {
        const { groups, ...files } = cgroups.files(paths.cgroup(id))
        return groups && (!groups.byRuntime || runtime.takesExecGroups) ? { ...files, groups } : files
      },
      isDiskFull: (id) => this.#isDiskFull(id),
      onOutput: (process) => {
        for (const listener of this.#outputListeners) listener(process)
      },
    })
    this.#poolCare = new PoolCare({
      dataDirectory: paths.data,
      poolDirectory: pool.directory,
      isInFile: pool.isInFile,
      guard,
      guests: this.#guestRoom,
      onReadOnly: () => this.#bringBackPool(pool.directory),
      log: options.log,
    })
    this.capabilities = {
      snapshots: pool.storage.instantCopy,
      diskQuota: pool.storage.quota,
      pause: true,
      ownProcView: lxcfs !== undefined,
      limitations: [
        ...parts.limitations,
        ...(lxcfs ? [] : ['lxcfs is missing, so "free" and "uptime" in a computer show the host.']),
        ...(runtime.program.endsWith('runc') && !options.runtime
          ? ['crun is missing; runc takes twice as long to start a process.']
          : []),
      ],
    }
  }

  async #open(options: LocalDriverOptions): Promise<void> {
    const resolvers = options.resolvers.length > 0 ? options.resolvers : findResolvers()
    await this.#guestFiles.setResolvers(resolvers)
    await this.#guestFiles.setInit(findInit())
    await this.#volumes.prepare()
    if (await restoreNull()) this.#log?.warn({}, "gave the host's /dev/null back to root, with mode 0666")
    await Promise.all([this.#openNetwork(options, resolvers), this.#monitors.open()])
    const { processes, containers } = await this.#monitors.list()
    await this.#processes.load(processes)
    await this.#computers.load(containers)
    await this.#lxcfs?.watch(() => this.#computers.running())
    this.#slotPool.refill()
    this.#guard.onLook(() => this.#poolCare.look())
    this.#guard.onLook(() => this.#measureJournals())
    this.#guard.onLook(
      () => void this.#helpers.report('disk', this.#guard.roomBytes > 0 ? undefined : 'it is nearly full'),
    )
    await this.#guard.look()
    this.#guard.start()
  }

  async #openNetwork(options: LocalDriverOptions, resolvers: string[]): Promise<void> {
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
    const countsConnections = await openFirewall({
      table: this.#paths.firewallTable,
      interfacePrefix: this.#paths.interfacePrefix,
      resolvers,
      allowed: options.allowedAddresses,
    })
    if (!countsConnections)
      this.capabilities.limitations.push(
        'This kernel cannot count connections (nft_connlimit), so one computer can fill the table of connections of the host.',
      )
  }

  #handle(event: MonitorEvent): void {
    if (event.event === 'container-exit')
      this.#computers.exited(event.computerId, event.reason === 'oom' ? 'oom' : 'exited')
    else void this.#processes.handle(event)
  }

  async #monitorLost({ current, hadProcess, hadComputer }: MonitorLoss): Promise<void> {
    this.#log?.warn({}, 'a process monitor ended: what it supervised is lost')
    const lost = this.#processes.lost(hadProcess)
    if (current) await this.#reopenMonitor()
    const inside = await lost
    await this.#computers.lost((id) => hadComputer(id) || inside.has(id))
  }

  /** Until there is one again: without it nothing can be started. */
  async #reopenMonitor(): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.#monitors.open()
      } catch (error) {
        this.#log?.warn({ err: error }, 'cannot start the process monitor; will try again')
        await delay(reopenMs)
      }
    }
  }

  async create(spec: ComputerSpec): Promise<void> {
    this.#guard.assertRoom(`create computer "${spec.id}"`)
    return this.#computers.create(spec)
  }
  async start(id: string): Promise<void> {
    this.#guard.assertRoom(`start computer "${id}"`)
    return this.#computers.start(id)
  }
  stop(id: string, graceMs: number): Promise<void> {
    return this.#computers.stop(id, graceMs)
  }
  endPrograms(id: string, exceptProcesses: readonly string[] = []): Promise<void> {
    const kept = this.#processes.runningOn(id).filter(({ processId }) => exceptProcesses.includes(processId))
    return this.#computers.endPrograms(
      id,
      kept.map(({ hostPid }) => hostPid),
    )
  }
  pause(id: string): Promise<void> {
    return this.#computers.pause(id)
  }
  resume(id: string): Promise<void> {
    return this.#computers.resume(id)
  }
  destroy(id: string): Promise<void> {
    this.#files.delete(id)
    this.#listeners.forget(id)
    return this.#computers.destroy(id)
  }
  async list(): Promise<ExistingComputer[]> {
    return this.#computers.list()
  }

  async stats(id: string): Promise<ComputerStats> {
    const { limits } = this.#computers.record(id)
    const diskBytes = await this.#volumes.used(id)
    const own = { memoryLimitBytes: limits.memoryBytes, diskBytes, diskLimitBytes: limits.diskBytes }
    if (!this.#computers.isRunning(id)) return { ...own, memoryBytes: 0, cpuMicros: 0, pids: 0, oomKills: 0 }
    return { ...own, ...(await this.#cgroups.usage(this.#paths.cgroup(id))) }
  }

  cpuMicros(id: string): number | undefined {
    return this.#computers.isRunning(id) ? this.#cgroups.cpuMicros(this.#paths.cgroup(id)) : undefined
  }

  async orphanedMs(id: string): Promise<number | undefined> {
    const known = this.#processes.runningOn(id).map(({ hostPid }) => hostPid)
    return this.#computers.orphanedMs(id, known)
  }

  async exec(id: string, spec: ExecSpec): Promise<ProcessHandle> {
    this.#computers.assertRunning(id)
    this.#guard.assertRoom(`start a process on computer "${id}"`)
    this.#disks.renew(id)
    return this.#processes.start(id, spec)
  }
  process(processId: string): ProcessHandle | undefined {
    return this.#processes.get(processId)
  }
  processes(): ProcessHandle[] {
    return this.#processes.all()
  }
  output(processId: string, cursor: number): Promise<OutputChunk> {
    return this.#processes.output(processId, cursor)
  }
  release(processId: string): void {
    this.#processes.release(processId)
  }
  recordLost(process: LostProcess): Promise<ProcessHandle> {
    return this.#processes.recordLost(process)
  }
  forget(processId: string): Promise<void> {
    return this.#processes.forget(processId)
  }
  retainedProcesses(): Promise<string[]> {
    return this.#processes.kept()
  }

  files(id: string): ComputerFiles {
    const existing = this.#files.get(id)
    if (existing) return existing
    const owner = { uid: toHostId(defaultUserId), gid: toHostId(defaultUserId) }
    const assertRoom = (path: string) => this.#guard.assertRoom(`write ${quote(path)}`, this.#guard.filesRoomBytes)
    const files = new LocalComputerFiles({ id, root: () => this.#computers.root(id), owner, assertRoom })
    this.#files.set(id, files)
    return files
  }

  async dial(id: string, port: number, options: Parameters<Driver['dial']>[2] = {}): Promise<Duplex> {
    return dialComputer(this.#computers.slot(id), port, options)
  }
  async listeners(id: string): Promise<Listener[]> {
    const pids = () => this.#cgroups.pids(this.#paths.cgroup(id))
    return this.#listeners.of(id, { slot: this.#computers.slot(id), pids, started: this.#processes.startedOn(id) })
  }

  async snapshot(id: string, snapshotId: string): Promise<void> {
    this.#guard.assertRoom(`make snapshot "${snapshotId}"`)
    return this.#computers.snapshot(id, snapshotId)
  }
  deleteSnapshot(snapshotId: string): Promise<void> {
    return this.#volumes.deleteSnapshot(snapshotId)
  }
  snapshots(): Promise<string[]> {
    return this.#volumes.snapshots()
  }

  onStopped(listener: (id: string, reason: StopReason) => void): void {
    this.#stoppedListeners.push(listener)
  }
  onOutput(listener: (process: ProcessHandle) => void): void {
    this.#outputListeners.push(listener)
  }
  metrics(): DriverMetrics {
    return {
      networkPool: this.#slotPool.ready,
      runningProcesses: this.#processes.running().length,
      disk: this.#guard.state,
      journalBytes: this.#journalBytes,
    }
  }
  health(): HelperState[] {
    return this.#helpers.all()
  }
  async close(): Promise<void> {
    this.#closed = true
    await this.#guard.close()
    this.#lxcfs?.close()
    this.#stopWatchingPool()
    this.#monitors.close()
    await this.#slotPool.close()
  }

  /** What ran on it has lost its disk: it is ended, and told to be stopped when its computers can start again. */
  async #bringBackPool(directory: string): Promise<void> {
    if (!this.#isPoolLost) {
      this.#isPoolLost = true
      this.#log?.error({ pool: directory }, 'the storage pool has become read-only: its computers are ended')
      this.#guard.refuse('the storage of the computers is being brought back')
      for (const files of this.#files.values()) files.close()
      this.#files.clear()
      for (const id of await this.#computers.endAll()) this.#lostWithPool.add(id)
    }
    // Opening it writes to it.
    if (this.#guard.state.freeBytes < minForPoolBytes) return
    await reopenPool(directory)
    this.#isPoolLost = false
    this.#guard.refuse(undefined)
    this.#log?.info({ pool: directory }, 'the storage pool can be written again')
    for (const id of this.#lostWithPool) for (const listener of this.#stoppedListeners) listener(id, 'lost')
    this.#lostWithPool.clear()
  }

  /** Not waited for: the disk is looked at whatever a monitor does. */
  #measureJournals(): void {
    if (this.#isMeasuring) return
    this.#isMeasuring = true
    void this.#monitors
      .journalBytes()
      .then((bytes) => {
        this.#journalBytes = bytes
      })
      .catch(() => {})
      .finally(() => {
        this.#isMeasuring = false
      })
  }

  async #snapshotImages(): Promise<(string | undefined)[]> {
    const ids = await this.#volumes.snapshots()
    return Promise.all(ids.map((id) => this.#volumes.snapshotImage(id)))
  }

  async #isDiskFull(id: string): Promise<boolean> {
    const used = await this.#volumes.used(id).catch(() => undefined)
    if (used === undefined) return false
    const diskBytes = this.#guestRoom.limitOf(id) ?? this.#computers.record(id).limits.diskBytes
    return diskBytes - used < Math.max(diskBytes / 100, 4 * 1024 * 1024)
  }
}

/**
 * Keeps the host's other users out: what computers hold is in there, and programs that their root users made setuid. A
 * runtime opens what it mounts as such a root user, whose group gets through.
 */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await chown(directory, 0, toHostId(0))
  await chmod(directory, 0o710)
}

function findInit(): string {
  const program = findProgram('catatonit')
  if (!program) throw new CarrelError('unavailable', 'Cannot run computers: "catatonit" is not installed')
  return program
}

const reopenMs = 1000
const minForPoolBytes = 32 * 1024 * 1024
/** The ordinary user of Carrel's images. */
const defaultUserId = 1000
