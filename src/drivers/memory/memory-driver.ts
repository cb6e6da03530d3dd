import type { Duplex, Readable } from 'node:stream'
import { CarrelError } from '../../errors.ts'
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
import { checkPage, pageOf } from '../pages.ts'
import { MemoryComputers } from './memory-computers.ts'
import { MemoryFiles } from './memory-files.ts'
import { MemoryHost } from './memory-host.ts'
import { MemoryImages } from './memory-images.ts'
import { MemoryProcesses } from './memory-processes.ts'
import { MemorySnapshots } from './memory-snapshots.ts'

/**
 * A driver for tests, whose computers are objects in this process, so that the rules of the engine and of surfaces are
 * tested in milliseconds. It starts no process, writes no file and has no network. Programs are a small set, written in
 * TypeScript, with a shell that has what the tests use; any other program is not found. Permissions are not enforced,
 * memory and processor time are not limited, and a terminal is a pipe with terminal line ends. What only a real kernel
 * can show is tested with the local driver.
 */
export class MemoryDriver implements Driver {
  readonly name = 'memory'
  readonly capabilities: DriverCapabilities = {
    snapshots: true,
    snapshotFormats: ['memory'],
    diskQuota: true,
    pause: true,
    ownProcView: false,
    limitations: [],
  }
  readonly images: MemoryImages
  readonly #host: MemoryHost
  readonly #computers: MemoryComputers
  readonly #processes: MemoryProcesses
  readonly #snapshots: MemorySnapshots
  readonly #stoppedListeners: ((id: string, reason: StopReason) => void)[] = []
  readonly #outputListeners: ((process: ProcessHandle) => void)[] = []
  #isConnected = true
  /** Keeps the event loop alive, as a server that waits for requests does. */
  readonly #keepsAlive = setInterval(() => {}, 2 ** 31 - 1)

  /**
   * Opens a driver on a host and continues with what is there, as a restarted server does. The previous driver of the
   * host has to be closed.
   */
  static open(host = new MemoryHost()): MemoryDriver {
    return new MemoryDriver(host)
  }

  private constructor(host: MemoryHost) {
    this.#host = host
    this.images = new MemoryImages(host)
    this.#snapshots = new MemorySnapshots(host)
    this.#computers = new MemoryComputers(host, (id, reason) => {
      if (this.#isConnected) for (const listener of this.#stoppedListeners) listener(id, reason)
    })
    this.#processes = new MemoryProcesses({
      host,
      isConnected: () => this.#isConnected,
      onOutput: (process) => {
        for (const listener of this.#outputListeners) listener(process)
      },
    })
  }

  async create(spec: ComputerSpec): Promise<void> {
    this.#computers.create(spec)
  }
  async start(id: string): Promise<void> {
    this.#computers.get(id).start()
  }
  async stop(id: string, graceMs: number): Promise<void> {
    await this.#computers.get(id).stop(graceMs)
  }
  async endPrograms(id: string, keptProcesses: readonly string[] = []): Promise<void> {
    this.#computers.endPrograms(id, keptProcesses)
  }
  async pause(id: string): Promise<void> {
    this.#computers.pause(id)
  }
  async resume(id: string): Promise<void> {
    this.#computers.resume(id)
  }
  async destroy(id: string): Promise<void> {
    this.#computers.destroy(id)
  }
  async get(id: string): Promise<ExistingComputer | undefined> {
    return this.#computers.existing(id)
  }
  async list(options: PageOptions): Promise<ComputerPage> {
    checkPage(options)
    return this.#computers.list(options)
  }
  async stats(id: string): Promise<ComputerStats> {
    return this.#computers.stats(id)
  }
  cpuMicros(id: string): number | undefined {
    return this.#host.computers.get(id)?.machine?.cpuMicros
  }
  async orphanedMs(id: string): Promise<number | undefined> {
    return this.#computers.orphanedMs(id)
  }

  async exec(id: string, spec: ExecSpec): Promise<ProcessHandle> {
    const machine = this.#computers.machine(id)
    return this.#processes.start(this.#computers.get(id), machine, spec)
  }
  async connect(id: string, spec: ConnectSpec): Promise<ConnectedProcess> {
    const machine = this.#computers.machine(id)
    return this.#processes.connect(this.#computers.get(id), machine, spec)
  }
  process(processId: string): ProcessHandle | undefined {
    return this.#processes.get(processId)
  }
  processes(): ProcessHandle[] {
    return this.#processes.all()
  }
  processesOn(id: string): ProcessHandle[] {
    return this.#processes.on(id)
  }
  async output(processId: string, cursor: number): Promise<OutputChunk> {
    return this.#processes.output(processId, cursor)
  }
  release(processId: string): void {
    this.#processes.release(processId)
  }
  async recordLost(process: LostProcess): Promise<ProcessHandle> {
    return this.#processes.recordLost(process)
  }
  async forget(processId: string): Promise<void> {
    this.#processes.forget(processId)
  }
  async *retainedProcesses(): AsyncGenerator<string> {
    yield* this.#processes.kept()
  }

  files(id: string): ComputerFiles {
    return new MemoryFiles(() => this.#computers.get(id))
  }
  async showFiles(id: string, files: ShownFiles): Promise<void> {
    this.#computers.machine(id)
    this.#computers.get(id).showFiles(files)
  }
  async dial(id: string, port: number): Promise<Duplex> {
    this.#computers.machine(id)
    throw new CarrelError(
      'upstream_unreachable',
      `Cannot reach port ${port} of computer "${id}": nothing listens there`,
      { details: { port, reason: 'nothing_listens' } },
    )
  }
  async listeners(id: string): Promise<Listener[]> {
    this.#computers.machine(id)
    return []
  }

  async resize(id: string, limits: ComputerLimits): Promise<boolean> {
    return this.#computers.resize(id, limits)
  }

  async snapshot(id: string, snapshotId: string): Promise<SnapshotTaken> {
    const { files, image } = this.#computers.get(id)
    const { usedBytes } = files
    this.#host.snapshots.set(snapshotId, { root: files.root.copy(), image, usedBytes })
    return { pausedMs: 0, use: { usedBytes, exclusiveBytes: usedBytes } }
  }
  async restore(id: string, snapshotId: string): Promise<void> {
    this.#computers.restore(id, snapshotId)
  }
  async snapshotUse(snapshotId: string): Promise<StorageUse | undefined> {
    const usedBytes = this.#host.snapshots.get(snapshotId)?.usedBytes
    return usedBytes === undefined ? undefined : { usedBytes, exclusiveBytes: usedBytes }
  }
  async deleteSnapshot(snapshotId: string): Promise<void> {
    return this.#snapshots.delete(snapshotId)
  }
  exportSnapshot(snapshotId: string, formats: readonly SnapshotFormat[]): Promise<Readable> {
    return this.#snapshots.export(snapshotId, formats)
  }
  importSnapshot(snapshotId: string, stream: Readable, options: { maxBytes: number }): Promise<void> {
    return this.#snapshots.import(snapshotId, stream, options)
  }
  async snapshots(options: PageOptions): Promise<SnapshotPage> {
    checkPage(options)
    return pageOf(this.#host.snapshots.keys(), options)
  }

  onStopped(listener: (id: string, reason: StopReason) => void): void {
    this.#stoppedListeners.push(listener)
  }
  onOutput(listener: (process: ProcessHandle) => void): void {
    this.#outputListeners.push(listener)
  }
  metrics(): DriverMetrics {
    const disk = { sizeBytes: 1024 ** 4, freeBytes: 1024 ** 4, reserveBytes: 0 }
    const { runningCount: runningProcesses, outputBytes: journalBytes } = this.#processes
    return { networkPool: 0, runningProcesses, disk, journalBytes }
  }
  health(): HelperState[] {
    return []
  }
  async close(): Promise<void> {
    this.#isConnected = false
    await this.#snapshots.close()
    clearInterval(this.#keepsAlive)
  }
}
