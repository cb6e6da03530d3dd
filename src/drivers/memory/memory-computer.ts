import { setTimeout as delay } from 'node:timers/promises'
import { serverFilesPath, type ComputerLimits, type ComputerSpec, type ShownFiles, type StopReason } from '../driver.ts'
import { FileSystem } from './file-system/file-system.ts'
import type { MemorySnapshot } from './memory-host.ts'
import { programs } from './programs/programs.ts'
import { Machine } from './tasks/machine.ts'
import type { Task } from './tasks/task.ts'
import type { RunProcess } from './run-process.ts'

/** A computer: its files and, while it runs, a machine with tasks. */
export class MemoryComputer {
  spec: ComputerSpec
  /** The image that the computer was created from, directly or by a snapshot. */
  image: string
  files: FileSystem
  /** Aborts when the computer is destroyed, which ends the watches on its files. */
  readonly destroyed = new AbortController()
  /** Called when its first process ends by itself. */
  onStopped: ((reason: StopReason) => void) | undefined
  #machine: Machine | undefined
  /** The processes that run, by id. */
  readonly running = new Map<string, RunProcess>()

  constructor(spec: ComputerSpec, { image, root, usedBytes }: MemorySnapshot) {
    this.spec = spec
    this.image = image
    this.files = new FileSystem(root.copy(), spec.limits.diskBytes, usedBytes)
  }

  /** Replaces the files of a stopped computer. */
  restore({ image, root, usedBytes }: MemorySnapshot): void {
    this.image = image
    this.files = new FileSystem(root.copy(), this.spec.limits.diskBytes, usedBytes)
  }

  resize(limits: ComputerLimits): void {
    this.spec = { ...this.spec, limits }
    this.files.limitBytes = limits.diskBytes
  }

  get machine(): Machine | undefined {
    return this.#machine
  }

  start(): void {
    this.#machine ??= new Machine({
      files: this.files,
      hostname: this.spec.hostname,
      programs,
      onInitSignal: (signal) => {
        if (signal === 'SIGTERM' || signal === 'SIGINT') this.#exited()
      },
    })
  }

  showFiles(files: ShownFiles): void {
    const owner = { uid: 0, gid: 0 }
    this.files.makeDirectories(serverFilesPath, { ...owner, mode: 0o755 })
    for (const [name, { content, mode }] of Object.entries(files)) {
      const node = this.files.openForWriting(`${serverFilesPath}/${name}`, { ...owner, mode })
      if (node.kind === 'file') this.files.replace(node, Buffer.from(content))
    }
  }

  /** Sends SIGTERM to all tasks, and SIGKILL to those that still run after the grace period. */
  async stop(graceMs: number): Promise<void> {
    const machine = this.#machine
    if (!machine) return
    for (const process of this.running.values()) process.stopping = true
    machine.resume()
    for (const task of machine.tasks.values()) task.signal('SIGTERM')
    const graceEnd = new AbortController()
    const grace = delay(graceMs, undefined, { signal: graceEnd.signal }).catch(() => {})
    await Promise.race([machine.empty(), grace])
    graceEnd.abort()
    this.halt()
  }

  /** Ends everything at once. */
  halt(): void {
    for (const process of this.running.values()) process.stopping = true
    const machine = this.#machine
    this.#machine = undefined
    machine?.resume()
    for (const task of machine?.tasks.values() ?? []) task.signal('SIGKILL')
  }

  /** Returns the tasks that descend from a process, its own included. */
  tree(processId: string): Task[] {
    return [...(this.#machine?.tasks.values() ?? [])].filter((task) => task.processId === processId)
  }

  /** Returns the tasks that are not the task of a running process. */
  orphans(): Task[] {
    const known = new Set([...this.running.values()].map(({ task }) => task))
    return [...(this.#machine?.tasks.values() ?? [])].filter((task) => !known.has(task))
  }

  #exited(): void {
    this.halt()
    this.onStopped?.('exited')
  }
}
