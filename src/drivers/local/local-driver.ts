import type { Duplex, Readable } from 'node:stream'
import type { HelperState } from '../../helper-states.ts'
import type {
  ConnectedProcess,
  ConnectSpec,
  ComputerFiles,
  ComputerLimits,
  ComputerPage,
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
  PageOptions,
  ProcessHandle,
  ShownFiles,
  SnapshotFormat,
  SnapshotPage,
  SnapshotTaken,
  StopReason,
  StorageUse,
} from '../driver.ts'
import { checkPage } from '../pages.ts'
import type { LocalDriverOptions } from './assembly/driver-options.ts'
import { createParts, type DriverParts } from './assembly/driver-parts.ts'
import { openParts } from './assembly/open-parts.ts'
import { prepareHost } from './assembly/prepare-host.ts'
import type { LocalImages } from './images/local-images.ts'
import { dialComputer } from './network/dial.ts'
import { Listeners } from './network/listeners.ts'
import { watchPool } from './storage/watch-pool.ts'

/** Computers on this host: OCI containers over overlays on a btrfs pool. */
export class LocalDriver implements Driver {
  readonly name = 'local'
  readonly #parts: DriverParts
  readonly #listeners = new Listeners()
  readonly #stopWatchingPool: () => void

  /**
   * Prepares the host and adopts what has been running since before this server. Rejects with one sentence when this
   * host cannot run computers.
   */
  static async open(options: LocalDriverOptions): Promise<LocalDriver> {
    const parts = createParts(options, await prepareHost(options))
    const driver = new LocalDriver(parts)
    try {
      await openParts(parts)
    } catch (error) {
      await driver.close()
      throw error
    }
    return driver
  }

  private constructor(parts: DriverParts) {
    this.#parts = parts
    this.#stopWatchingPool = watchPool(parts.pool.directory, parts.helpers)
  }

  get capabilities(): DriverCapabilities {
    return this.#parts.capabilities
  }
  get images(): LocalImages {
    return this.#parts.images
  }

  async create(spec: ComputerSpec): Promise<void> {
    this.#parts.guard.assertSpace(`create computer "${spec.id}"`)
    return this.#parts.computers.create(spec)
  }
  async start(id: string): Promise<void> {
    this.#parts.guard.assertSpace(`start computer "${id}"`)
    return this.#parts.computers.start(id)
  }
  stop(id: string, graceMs: number): Promise<void> {
    return this.#parts.computers.stop(id, graceMs)
  }
  endPrograms(id: string, exceptProcesses: readonly string[] = []): Promise<void> {
    const excepted = this.#parts.processes.runningOn(id).filter(({ processId }) => exceptProcesses.includes(processId))
    return this.#parts.computers.endPrograms(
      id,
      excepted.map(({ hostPid }) => hostPid),
    )
  }
  pause(id: string): Promise<void> {
    return this.#parts.computers.pause(id)
  }
  resume(id: string): Promise<void> {
    return this.#parts.computers.resume(id)
  }
  destroy(id: string): Promise<void> {
    this.#parts.files.forget(id)
    this.#listeners.forget(id)
    return this.#parts.computers.destroy(id)
  }
  async get(id: string): Promise<ExistingComputer | undefined> {
    return this.#parts.computers.get(id)
  }
  async list(options: PageOptions): Promise<ComputerPage> {
    checkPage(options)
    return this.#parts.computers.list(options)
  }

  async stats(id: string): Promise<ComputerStats> {
    const { limits } = this.#parts.computers.record(id)
    const use = await this.#parts.volumes.use(id)
    const own = {
      memoryLimitBytes: limits.memoryBytes,
      diskBytes: use?.usedBytes,
      exclusiveDiskBytes: use?.exclusiveBytes,
      diskLimitBytes: limits.diskBytes,
    }
    if (!this.#parts.computers.isRunning(id)) return { ...own, memoryBytes: 0, cpuMicros: 0, pids: 0, oomKills: 0 }
    return { ...own, ...(await this.#parts.cgroups.usage(this.#parts.paths.cgroup(id))) }
  }

  cpuMicros(id: string): number | undefined {
    return this.#parts.computers.isRunning(id) ? this.#parts.cgroups.cpuMicros(this.#parts.paths.cgroup(id)) : undefined
  }

  async orphanedMs(id: string): Promise<number | undefined> {
    const known = this.#parts.processes.runningOn(id).map(({ hostPid }) => hostPid)
    return this.#parts.computers.orphanedMs(id, known)
  }

  async exec(id: string, spec: ExecSpec): Promise<ProcessHandle> {
    this.#admitProcess(id)
    return this.#parts.processes.start(id, spec)
  }
  async connect(id: string, spec: ConnectSpec): Promise<ConnectedProcess> {
    this.#admitProcess(id)
    return this.#parts.processes.connect(id, spec)
  }
  #admitProcess(id: string): void {
    this.#parts.computers.assertRunning(id)
    this.#parts.guard.assertSpace(`start a process on computer "${id}"`)
    this.#parts.disks.update(id)
  }
  process(processId: string): ProcessHandle | undefined {
    return this.#parts.processes.get(processId)
  }
  processes(): ProcessHandle[] {
    return this.#parts.processes.all()
  }
  processesOn(id: string): ProcessHandle[] {
    return this.#parts.processes.on(id)
  }
  output(processId: string, cursor: number): Promise<OutputChunk> {
    return this.#parts.processes.output(processId, cursor)
  }
  release(processId: string): void {
    this.#parts.processes.release(processId)
  }
  recordLost(process: LostProcess): Promise<ProcessHandle> {
    return this.#parts.processes.recordLost(process)
  }
  forget(processId: string): Promise<void> {
    return this.#parts.processes.forget(processId)
  }
  retainedProcesses(): AsyncIterable<string> {
    return this.#parts.processes.retained()
  }

  files(id: string): ComputerFiles {
    return this.#parts.files.get(id)
  }

  async showFiles(id: string, files: ShownFiles): Promise<void> {
    this.#parts.computers.assertRunning(id)
    await this.#parts.guestFiles.show(id, files)
  }

  async dial(id: string, port: number, options: Parameters<Driver['dial']>[2] = {}): Promise<Duplex> {
    return dialComputer(this.#parts.computers.slot(id), port, options)
  }
  async listeners(id: string): Promise<Listener[]> {
    const { computers, processes, cgroups, paths } = this.#parts
    const pids = () => cgroups.pids(paths.cgroup(id))
    return this.#listeners.of(id, { slot: computers.slot(id), pids, started: processes.startedOn(id) })
  }

  resize(id: string, limits: ComputerLimits): Promise<boolean> {
    return this.#parts.computers.resize(id, limits)
  }

  async snapshot(id: string, snapshotId: string): Promise<SnapshotTaken> {
    this.#parts.guard.assertSpace(`make snapshot "${snapshotId}"`)
    return this.#parts.computers.snapshot(id, snapshotId)
  }
  async restore(id: string, snapshotId: string): Promise<void> {
    this.#parts.guard.assertSpace(`restore snapshot "${snapshotId}"`)
    this.#parts.files.renew(id)
    return this.#parts.computers.restore(id, snapshotId)
  }
  snapshotUse(snapshotId: string): Promise<StorageUse | undefined> {
    return this.#parts.volumes.snapshotUse(snapshotId)
  }
  deleteSnapshot(snapshotId: string): Promise<void> {
    return this.#parts.transfers.deleteSnapshot(snapshotId)
  }
  exportSnapshot(snapshotId: string, formats: readonly SnapshotFormat[]): Promise<Readable> {
    return this.#parts.transfers.export(snapshotId, formats)
  }
  importSnapshot(snapshotId: string, stream: Readable, options: { maxBytes: number }): Promise<void> {
    return this.#parts.transfers.import(snapshotId, stream, options)
  }
  async snapshots(options: PageOptions): Promise<SnapshotPage> {
    checkPage(options)
    return this.#parts.volumes.snapshotPage(options)
  }

  onStopped(listener: (id: string, reason: StopReason) => void): void {
    this.#parts.listeners.onStopped(listener)
  }
  onOutput(listener: (process: ProcessHandle) => void): void {
    this.#parts.listeners.onOutput(listener)
  }
  metrics(): DriverMetrics {
    return {
      networkPool: this.#parts.slotPool.ready,
      runningProcesses: this.#parts.processes.running().length,
      disk: this.#parts.guard.state,
      journalBytes: this.#parts.journals.bytes,
    }
  }
  health(): HelperState[] {
    return this.#parts.helpers.all()
  }
  async close(): Promise<void> {
    const { monitorRecovery, guard, images, lxcfs, monitors, slotPool, transfers } = this.#parts
    await transfers.endAll()
    await images.close()
    monitorRecovery.close()
    await guard.close()
    lxcfs?.close()
    this.#stopWatchingPool()
    monitors.close()
    await slotPool.close()
  }
}
