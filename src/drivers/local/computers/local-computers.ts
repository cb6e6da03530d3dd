import { KeyedLock } from '../../../keyed-lock.ts'
import type {
  ComputerLimits,
  ComputerPage,
  ComputerSpec,
  ExistingComputer,
  PageOptions,
  SnapshotTaken,
  StopReason,
} from '../../driver.ts'
import { CompiledSeccomp } from '../containers/compiled-seccomp.ts'
import type { RunningComputer } from '../lxcfs/lxcfs.ts'
import type { ContainerState } from '../monitor/protocol.ts'
import type { NetworkSlot } from '../network/slots.ts'
import { orphanedMs } from '../processes/orphaned-processes.ts'
import { clearRuntimeState, clearUnlessRunning } from './clear-runtime-state.ts'
import type { ComputerContext, ComputerParts } from './computer-context.ts'
import { ComputerRoots } from './computer-roots.ts'
import { ComputerStates } from './computer-states.ts'
import type { ComputerRecord } from './computer-store.ts'
import { CpuAllocator } from './cpu-allocator.ts'
import { createComputer } from './create-computer.ts'
import { endAllComputers } from './end-all-computers.ts'
import { endPrograms } from './end-programs.ts'
import { pauseComputer, resumeComputer } from './pause-computer.ts'
import { reconcileComputers } from './reconcile-computers.ts'
import { removeComputer } from './remove-computer.ts'
import { resizeComputer } from './resize-computer.ts'
import { restoreComputer } from './restore-computer.ts'
import { snapshotComputer } from './snapshot-computer.ts'
import { startComputer } from './start-computer.ts'
import { stopComputer } from './stop-computer.ts'

interface Options extends ComputerParts {
  /** Called when a computer's first process ends unexpectedly. */
  onStopped: (id: string, reason: StopReason) => void
}

/** The computers of this host. Work on one computer is done in turn. */
export class LocalComputers {
  readonly #context: ComputerContext
  readonly #onStopped: Options['onStopped']

  constructor({ onStopped, ...parts }: Options) {
    this.#onStopped = onStopped
    this.#context = {
      ...parts,
      lock: new KeyedLock(),
      states: new ComputerStates(parts.store),
      roots: new ComputerRoots(parts),
      seccomp: new CompiledSeccomp(),
      cpus: new CpuAllocator(),
    }
  }

  /** Adopts the running computers of an earlier server, and removes what a crash left. */
  load(containers: ContainerState[]): Promise<void> {
    return reconcileComputers(this.#context, containers)
  }

  create(spec: ComputerSpec): Promise<void> {
    return this.#inTurn(spec.id, () => createComputer(this.#context, spec))
  }

  start(id: string): Promise<void> {
    return this.#inTurn(id, () => startComputer(this.#context, id))
  }

  stop(id: string, graceMs: number): Promise<void> {
    return this.#inTurn(id, () => stopComputer(this.#context, id, graceMs))
  }

  pause(id: string): Promise<void> {
    return this.#inTurn(id, () => pauseComputer(this.#context, id))
  }

  resume(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      this.#context.states.requireStarted(id)
      await resumeComputer(this.#context, id)
    })
  }

  destroy(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      const { states, monitor } = this.#context
      if (states.isRunning(id))
        await monitor()
          .request({ op: 'stopping', computerId: id })
          .catch(() => {})
      await removeComputer(this.#context, id)
    })
  }

  resize(id: string, limits: ComputerLimits): Promise<boolean> {
    return this.#inTurn(id, () => resizeComputer(this.#context, id, limits))
  }

  restore(id: string, snapshotId: string): Promise<void> {
    return this.#inTurn(id, () => restoreComputer(this.#context, id, snapshotId))
  }

  snapshot(id: string, snapshotId: string): Promise<SnapshotTaken> {
    return this.#inTurn(id, () => snapshotComputer(this.#context, id, snapshotId, this.record(id).image))
  }

  endPrograms(id: string, exceptPids: readonly number[]): Promise<void> {
    return endPrograms(this.#context, id, exceptPids)
  }

  get(id: string): ExistingComputer | undefined {
    return this.#context.states.get(id)
  }

  list(options: PageOptions): ComputerPage {
    return this.#context.states.list(options)
  }

  running(): RunningComputer[] {
    return this.#context.states.running()
  }

  /** Throws `not_found` when the computer does not exist. */
  record(id: string): ComputerRecord {
    return this.#context.store.require(id)
  }

  /** Throws `conflict` when the computer is stopped or paused. */
  assertRunning(id: string): void {
    this.#context.states.requireRunning(id)
  }

  isRunning(id: string): boolean {
    return this.#context.states.isRunning(id)
  }

  /** As `Driver.orphanedMs`; `knownPids` are host ids of the processes that are not orphaned. */
  orphanedMs(id: string, knownPids: readonly number[]): number | undefined {
    const { cgroups, paths, states } = this.#context
    return orphanedMs(cgroups.pids(paths.cgroup(id)), new Set([states.requireRunning(id), ...knownPids]))
  }

  /** Returns the network slot of a running computer. */
  slot(id: string): NetworkSlot {
    this.assertRunning(id)
    return this.#context.slots.describe(this.record(id).slot!)
  }

  /** Mounts the root of a computer if necessary. Returns its path on the host. */
  async root(id: string): Promise<string> {
    const { roots, paths } = this.#context
    this.record(id)
    // In its turn, the computer may have been removed.
    if (!roots.isMounted(id)) await this.#inTurn(id, async () => roots.mount(this.record(id)))
    return paths.root(id)
  }

  /** Handles the exit of a computer's first process. */
  exited(id: string, reason: StopReason): void {
    const { states } = this.#context
    if (states.exited(id)) return
    // The next start tries again to remove what cannot be removed now.
    void this.#inTurn(id, () => clearUnlessRunning(this.#context, id)).catch(() => {})
    this.#onStopped(id, reason)
  }

  /** Ends the computers of a lost monitor: nothing distinguishes them from what runs without a monitor. */
  async lost(isLost: (id: string) => boolean): Promise<void> {
    const { states } = this.#context
    const ids = this.running().flatMap(({ id }) => (isLost(id) ? [id] : []))
    for (const id of ids) states.setStopped(id)
    const cleared = await Promise.allSettled(
      ids.map((id) => this.#inTurn(id, () => clearRuntimeState(this.#context, id))),
    )
    for (const id of ids) this.#onStopped(id, 'lost')
    const failed = cleared.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Ends all running computers and unmounts all roots. Returns the ids of those that ran. */
  endAll(): Promise<string[]> {
    return endAllComputers(this.#context)
  }

  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#context.lock.run(id, work)
  }
}
