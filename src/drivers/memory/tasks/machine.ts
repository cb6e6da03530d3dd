import type { FileSystem } from '../file-system/file-system.ts'
import type { Signal } from './signals.ts'
import { Task, type Program, type TaskOptions } from './task.ts'

export type SpawnOptions = Omit<TaskOptions, 'pid'>

/** The running half of a computer: its tasks, and the clock that they share. */
export class Machine {
  readonly files: FileSystem
  readonly hostname: string
  readonly tasks = new Map<number, Task>()
  /** The built-in programs, by name. */
  readonly programs: Readonly<Record<string, Program>>
  readonly #onInitSignal: (signal: Signal) => void
  #lastPid = 1
  #steps = 0
  #resumed: PromiseWithResolvers<void> | undefined
  #stopped = Promise.withResolvers<void>()

  constructor(options: {
    files: FileSystem
    hostname: string
    programs: Readonly<Record<string, Program>>
    /** Called for a signal to the first process, which is not a task. */
    onInitSignal: (signal: Signal) => void
  }) {
    this.files = options.files
    this.hostname = options.hostname
    this.programs = options.programs
    this.#onInitSignal = options.onInitSignal
  }

  signalInit(signal: Signal): void {
    this.#onInitSignal(signal)
  }

  /** Processor time: each step of a program counts as the same time, however long it took. */
  get cpuMicros(): number {
    return this.#steps * microsPerStep
  }

  get paused(): boolean {
    return this.#resumed !== undefined
  }

  /** Resolves when the machine is not paused. */
  get resumed(): Promise<void> {
    return this.#resumed?.promise ?? Promise.resolve()
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers()
  }

  resume(): void {
    const resumed = this.#resumed
    this.#resumed = undefined
    resumed?.resolve()
  }

  /** Counts a step. Returns true when other tasks should get a turn. */
  countStep(): boolean {
    return ++this.#steps % stepsPerTurn === 0
  }

  spawn(options: SpawnOptions, program: Program): Task {
    const task = new Task(this, { ...options, pid: ++this.#lastPid })
    this.tasks.set(task.pid, task)
    void task.run(program)
    return task
  }

  ended(task: Task): void {
    this.tasks.delete(task.pid)
    for (const child of this.tasks.values()) if (child.parentPid === task.pid) child.parentPid = 1
    if (this.tasks.size > 0) return
    this.#stopped.resolve()
    this.#stopped = Promise.withResolvers()
  }

  /** Resolves when no task runs. */
  async empty(): Promise<void> {
    while (this.tasks.size > 0) await this.#stopped.promise
  }
}

const stepsPerTurn = 64
const microsPerStep = 10
