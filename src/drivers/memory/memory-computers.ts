import { CarrelError } from '../../errors.ts'
import type {
  ComputerLimits,
  ComputerPage,
  ComputerSpec,
  ComputerStats,
  ExistingComputer,
  PageOptions,
  StopReason,
} from '../driver.ts'
import { pageOf } from '../pages.ts'
import { MemoryComputer } from './memory-computer.ts'
import type { MemoryHost, MemorySnapshot } from './memory-host.ts'
import type { Machine } from './tasks/machine.ts'

const bytesOfTask = 1024 * 1024

/** The computers of a host, and the actions on them. */
export class MemoryComputers {
  readonly #host: MemoryHost
  readonly #onStopped: (id: string, reason: StopReason) => void

  constructor(host: MemoryHost, onStopped: (id: string, reason: StopReason) => void) {
    this.#host = host
    this.#onStopped = onStopped
    for (const [id, computer] of host.computers) this.#report(id, computer)
  }

  /** Throws `not_found`. */
  get(id: string): MemoryComputer {
    const computer = this.#host.computers.get(id)
    if (computer) return computer
    throw new CarrelError('not_found', `Cannot find computer "${id}"`, { details: { computerId: id } })
  }

  /** Returns the machine of a running computer. Throws `conflict` when the computer does not run or is paused. */
  machine(id: string): Machine {
    const { machine } = this.get(id)
    if (machine && !machine.paused) return machine
    const why = machine ? 'it is paused' : 'it is not running'
    throw new CarrelError('conflict', `Cannot use computer "${id}": ${why}`, { details: { computerId: id } })
  }

  create(spec: ComputerSpec): void {
    if (this.#host.computers.has(spec.id))
      throw new CarrelError('already_exists', `Cannot create computer "${spec.id}": it exists`)
    const computer = new MemoryComputer(spec, this.#source(spec))
    this.#host.computers.set(spec.id, computer)
    this.#report(spec.id, computer)
  }

  destroy(id: string): void {
    const computer = this.#host.computers.get(id)
    this.#host.computers.delete(id)
    computer?.halt()
    computer?.destroyed.abort()
  }

  pause(id: string): void {
    const { machine } = this.get(id)
    if (!machine) throw new CarrelError('conflict', `Cannot pause computer "${id}": it is not running`)
    machine.pause()
  }

  resume(id: string): void {
    const { machine } = this.get(id)
    if (!machine) throw new CarrelError('conflict', `Cannot resume computer "${id}": it is not running`)
    machine.resume()
  }

  endPrograms(id: string, kept: readonly string[]): void {
    const computer = this.get(id)
    const keptTasks = new Set(kept.map((processId) => computer.running.get(processId)?.task))
    for (const task of computer.machine?.tasks.values() ?? []) if (!keptTasks.has(task)) task.signal('SIGKILL')
  }

  existing(id: string): ExistingComputer | undefined {
    const computer = this.#host.computers.get(id)
    return computer && describe(id, computer)
  }

  list({ limit, after }: PageOptions): ComputerPage {
    const { ids, ...rest } = pageOf(this.#host.computers.keys(), { limit, after })
    return { computers: ids.map((id) => describe(id, this.get(id))), ...rest }
  }

  stats(id: string): ComputerStats {
    const { machine, spec, files } = this.get(id)
    const pids = machine ? machine.tasks.size + 1 : 0
    return {
      memoryBytes: pids * bytesOfTask,
      memoryLimitBytes: spec.limits.memoryBytes,
      cpuMicros: machine?.cpuMicros ?? 0,
      pids,
      diskBytes: files.usedBytes,
      // A copy shares nothing.
      exclusiveDiskBytes: files.usedBytes,
      diskLimitBytes: spec.limits.diskBytes,
      oomKills: 0,
    }
  }

  orphanedMs(id: string): number | undefined {
    this.machine(id)
    const begun = this.get(id)
      .orphans()
      .map(({ startedAtMs }) => startedAtMs)
    return begun.length > 0 ? Date.now() - Math.min(...begun) : undefined
  }

  resize(id: string, limits: ComputerLimits): boolean {
    const computer = this.get(id)
    const { usedBytes } = computer.files
    if (usedBytes > limits.diskBytes)
      throw new CarrelError('conflict', `Cannot resize computer "${id}": its disk holds ${usedBytes} bytes`, {
        details: { usedBytes },
      })
    if (this.stats(id).memoryBytes > limits.memoryBytes) return false
    computer.resize(limits)
    return true
  }

  restore(id: string, snapshotId: string): void {
    const computer = this.get(id)
    if (computer.machine)
      throw new CarrelError('conflict', `Cannot restore computer "${id}": it is running`, {
        details: { state: 'running' },
      })
    computer.restore(this.#snapshot(snapshotId))
  }

  #source({ source }: ComputerSpec): MemorySnapshot {
    if ('image' in source) {
      const image = this.#host.images.get(source.image)
      if (image) return { image: source.image, root: image.root, usedBytes: 0 }
      throw new CarrelError('image_missing', `Cannot create a computer: image "${source.image}" is missing`)
    }
    return this.#snapshot(source.snapshot)
  }

  #snapshot(id: string): MemorySnapshot {
    const snapshot = this.#host.snapshots.get(id)
    if (snapshot) return snapshot
    throw new CarrelError('not_found', `Cannot use snapshot "${id}": it is missing`)
  }

  #report(id: string, computer: MemoryComputer): void {
    computer.onStopped = (reason) => this.#onStopped(id, reason)
  }
}

function describe(id: string, { machine }: MemoryComputer): ExistingComputer {
  return { id, running: machine !== undefined, paused: machine?.paused === true }
}
