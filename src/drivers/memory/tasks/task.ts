import { setImmediate as turn } from 'node:timers/promises'
import type { Descriptor } from './descriptor.ts'
import { BrokenPipe } from './pipe.ts'
import { endsByDefault, signalNumber, type Signal } from './signals.ts'
import { FileSystemError } from '../file-system/file-system-error.ts'
import type { Machine } from './machine.ts'

/** A program of this driver; resolves with its exit code. */
export type Program = (task: Task) => Promise<number> | number

/** The user that a task runs as. */
export interface TaskUser {
  name: string
  uid: number
  gid: number
  groups: number[]
  home: string
}

export type TaskEnd = { code: number } | { signal: Signal }

export interface TaskOptions {
  pid: number
  parentPid: number
  /** The driver's process that the task descends from. */
  processId: string
  argv: string[]
  env: Map<string, string>
  cwd: string
  user: TaskUser
  descriptors: Map<number, Descriptor>
  ignored: Iterable<Signal>
}

/** Thrown into a program whose task has ended, so that the program unwinds. */
export class TaskEnded extends Error {}

/** A program that runs in a computer, like a process of an operating system: ids, descriptors, signals. */
export class Task {
  readonly pid: number
  parentPid: number
  readonly processId: string
  readonly machine: Machine
  readonly startedAtMs = Date.now()
  readonly user: TaskUser
  readonly descriptors = new Map<number, Descriptor>()
  readonly env: Map<string, string>
  argv: string[]
  cwd: string
  /** Signals that the task ignores, and so do the tasks that it starts. */
  readonly ignored: Set<Signal>
  /** Handles a signal, and returns whether it did; undefined when the program handles none. */
  handler: ((signal: Signal) => boolean) | undefined
  end: TaskEnd | undefined
  readonly #ended = Promise.withResolvers<TaskEnd>()
  readonly #unwinding = new Set<() => void>()

  constructor(machine: Machine, options: TaskOptions) {
    this.machine = machine
    this.pid = options.pid
    this.parentPid = options.parentPid
    this.processId = options.processId
    this.argv = options.argv
    this.env = options.env
    this.cwd = options.cwd
    this.user = options.user
    this.ignored = new Set(options.ignored)
    for (const [number, descriptor] of options.descriptors) this.setDescriptor(number, descriptor)
  }

  /** Runs a program until this task ends. */
  async run(program: Program): Promise<void> {
    try {
      await this.step()
      this.finish({ code: (await program(this)) & 255 })
    } catch (error) {
      if (!(error instanceof TaskEnded)) await this.#fail(error)
    }
  }

  get ended(): Promise<TaskEnd> {
    return this.#ended.promise
  }

  /** Ends the task; a second call does nothing. Its children continue, as children of the first process. */
  finish(end: TaskEnd): void {
    if (this.end) return
    this.end = end
    for (const number of this.descriptors.keys()) this.setDescriptor(number, undefined)
    this.machine.ended(this)
    for (const unwind of this.#unwinding) unwind()
    this.#ended.resolve(end)
  }

  signal(signal: Signal): void {
    if (this.end) return
    if (signal !== 'SIGKILL' && (this.ignored.has(signal) || this.handler?.(signal))) return
    if (endsByDefault(signal)) this.finish({ signal })
  }

  setDescriptor(number: number, descriptor: Descriptor | undefined): void {
    descriptor?.retain()
    this.descriptors.get(number)?.release()
    if (descriptor) this.descriptors.set(number, descriptor)
    else this.descriptors.delete(number)
  }

  /** Waits for a promise, and while the computer is paused. Throws `TaskEnded` when the task ends meanwhile. */
  async waitFor<T>(work: Promise<T>): Promise<T> {
    if (this.end) throw new TaskEnded()
    const unwound = Promise.withResolvers<never>()
    const unwind = () => unwound.reject(new TaskEnded())
    this.#unwinding.add(unwind)
    try {
      const result = await Promise.race([work, unwound.promise])
      while (this.machine.paused) await Promise.race([this.machine.resumed, unwound.promise])
      return result
    } finally {
      this.#unwinding.delete(unwind)
    }
  }

  /**
   * To be called between any two actions of a program, so that a program that never waits leaves time to all others.
   */
  async step(): Promise<void> {
    if (this.end) throw new TaskEnded()
    if (this.machine.paused) await this.waitFor(this.machine.resumed)
    if (this.machine.countStep()) await this.waitFor(turn())
  }

  async read(number = 0, maxBytes = 64 * 1024): Promise<Buffer> {
    await this.step()
    const descriptor = this.descriptors.get(number)
    if (!descriptor) throw new Error('Bad file descriptor')
    return this.waitFor(descriptor.read(maxBytes))
  }

  async write(number: number, bytes: Uint8Array): Promise<void> {
    await this.step()
    const descriptor = this.descriptors.get(number)
    if (!descriptor) throw new Error('Bad file descriptor')
    try {
      await this.waitFor(descriptor.write(bytes))
    } catch (error) {
      if (error instanceof BrokenPipe) this.signal('SIGPIPE')
      if (this.end) throw new TaskEnded()
      throw error
    }
  }

  /** Prints a byte string. */
  async print(bytes: string, number = 1): Promise<void> {
    if (bytes !== '') await this.write(number, Buffer.from(bytes, 'latin1'))
  }

  /** Prints a failure on stderr and returns 1, the exit code for it. */
  async complain(why: string): Promise<number> {
    await this.print(`${this.argv[0]}: ${why}\n`, 2)
    return 1
  }

  async readAll(number = 0): Promise<Buffer> {
    const chunks: Buffer[] = []
    for (let chunk = await this.read(number); chunk.length > 0; chunk = await this.read(number)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  /** Throws `TaskEnded` when the task ends meanwhile. */
  async sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // A sleeping task does not keep the event loop alive; the driver does, while it is open.
    const timer = setTimeout(resolve, Math.min(ms, maxTimerMs)).unref()
    try {
      await this.waitFor(promise)
    } finally {
      clearTimeout(timer)
    }
  }

  path(path: string): string {
    return path.startsWith('/') ? path : `${this.cwd}/${path}`
  }

  async #fail(error: unknown): Promise<void> {
    const isOrdinary = error instanceof FileSystemError || error instanceof BrokenPipe
    const why = error instanceof Error ? (isOrdinary ? error.message : (error.stack ?? error.message)) : String(error)
    try {
      await this.complain(why)
    } catch {
      // Its stderr has no reader.
    }
    this.finish({ code: isOrdinary ? 1 : 70 })
  }
}

/** Returns the value of a shell's `$?` for an end. */
export function exitStatus(end: TaskEnd): number {
  return 'code' in end ? end.code : 128 + signalNumber(end.signal)
}

const maxTimerMs = 2 ** 31 - 1
