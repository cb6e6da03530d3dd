import type { EndReason, ExecSpec, ExitReason, OutputPiece, ProcessExit } from '../driver.ts'
import { KeptOutput } from './kept-output.ts'
import type { MemoryComputer } from './memory-computer.ts'
import { Pipe } from './tasks/pipe.ts'
import type { Descriptor } from './tasks/descriptor.ts'
import { signalNumber, type Signal } from './tasks/signals.ts'
import type { Task, TaskEnd } from './tasks/task.ts'

interface Options {
  processId: string
  computerId: string
  computer: MemoryComputer | undefined
  meta: Record<string, unknown>
  timeoutMs: number | undefined
  backpressure: boolean
  size: { cols: number; rows: number } | undefined
}

/** A process as the host keeps it, for whichever server asks: its task, its output and its exit. */
export class RunProcess {
  readonly processId: string
  readonly computerId: string
  readonly computer: MemoryComputer | undefined
  readonly meta: Record<string, unknown>
  readonly timeoutMs: number | undefined
  readonly output = new KeptOutput()
  readonly stdin = new Pipe()
  startedAtMs = Date.now()
  pid = 0
  task: Task | undefined
  exit: ProcessExit | undefined
  /** True once its exit is recorded elsewhere. */
  released = false
  stopping = false
  size: Options['size']
  followers = 0
  onOutput: (() => void) | undefined
  readonly #backpressure: boolean
  #readEnd = 0
  #lastReportMs = 0
  #outputBytes = 0
  #why: ExitReason | undefined
  #isStdinOpen = false
  #timer: NodeJS.Timeout | undefined
  #changed = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<ProcessExit>()

  constructor(options: Options) {
    this.processId = options.processId
    this.computerId = options.computerId
    this.computer = options.computer
    this.meta = options.meta
    this.timeoutMs = options.timeoutMs
    this.size = options.size
    this.#backpressure = options.backpressure
  }

  get ended(): Promise<ProcessExit> {
    return this.#ended.promise
  }

  /** Resolves when output arrives or is read, or the process ends. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  begin(task: Task, spec: ExecSpec): void {
    this.task = task
    this.pid = task.pid
    if (spec.stdin || spec.tty) {
      this.stdin.writer.retain()
      this.#isStdinOpen = true
    }
    if (this.timeoutMs !== undefined)
      this.#timer = setTimeout(() => this.killTree('SIGKILL', 'timeout'), this.timeoutMs).unref()
    void task.ended.then((end) => this.#finish(this.#exitOf(end)))
  }

  sink(stream: OutputPiece['stream']): Descriptor {
    return {
      retain: () => {},
      release: () => {},
      read: async () => Buffer.alloc(0),
      write: (bytes) => this.#print(stream, bytes),
    }
  }

  get isStdinOpen(): boolean {
    return this.#isStdinOpen
  }

  closeStdin(): void {
    if (this.#isStdinOpen) this.stdin.writer.release()
    this.#isStdinOpen = false
  }

  killTree(signal: Signal, why?: ExitReason): void {
    this.#why ??= why
    for (const task of this.computer?.tree(this.processId) ?? []) task.signal(signal)
  }

  kill(signal: Signal, why?: EndReason): void {
    this.#why ??= why
    this.task?.signal(signal)
  }

  /** Records that a reader has read everything before a cursor, so that a backpressured process may print more. */
  markRead(cursor: number): void {
    if (cursor <= this.#readEnd) return
    this.#readEnd = cursor
    this.#change()
  }

  /** Ends a process whose real end is unknown. */
  lose(): void {
    const exit = { reason: 'lost' as const, exitCode: null, signal: null, truncated: true }
    this.#finish({ ...exit, endedAtMs: Date.now(), outputBytes: this.#outputBytes })
  }

  async #print(stream: OutputPiece['stream'], bytes: Uint8Array): Promise<void> {
    // After its exit, output of its descendants is discarded.
    if (this.exit || bytes.length === 0) return
    const text = this.size
      ? Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
      : bytes
    this.output.add(stream, Buffer.from(text))
    this.#outputBytes += text.length
    this.#change()
    this.#reportOutput()
    while (this.#backpressure && !this.exit && this.output.end - this.#readEnd > maxUnreadBytes) await this.changed
  }

  #reportOutput(): void {
    const nowMs = Date.now()
    const isDue = nowMs - this.startedAtMs >= 1000 && nowMs - this.#lastReportMs >= 1000
    if (this.followers === 0 && !isDue) return
    this.#lastReportMs = nowMs
    this.onOutput?.()
  }

  #exitOf(end: TaskEnd): ProcessExit {
    const isSignal = 'signal' in end
    const exitCode = isSignal ? 128 + signalNumber(end.signal) : end.code
    const ordinary = isSignal ? 'signalled' : exitCode !== 0 && this.#isDiskFull() ? 'disk_full' : 'exited'
    return {
      reason: this.stopping ? 'stopped' : (this.#why ?? ordinary),
      exitCode,
      signal: isSignal ? end.signal : null,
      endedAtMs: Date.now(),
      outputBytes: this.#outputBytes,
      truncated: this.output.truncated,
      keptBytes: this.output.keptBytes,
    }
  }

  #isDiskFull(): boolean {
    if (!this.computer) return false
    const { limitBytes, usedBytes } = this.computer.files
    return limitBytes - usedBytes < Math.max(limitBytes / 100, 4 * 1024 * 1024)
  }

  #finish(exit: ProcessExit): void {
    if (this.exit) return
    clearTimeout(this.#timer)
    this.exit = exit
    this.computer?.running.delete(this.processId)
    this.closeStdin()
    this.#ended.resolve(exit)
    this.#change()
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** How much output of a backpressured process may wait for its reader. */
const maxUnreadBytes = 8 * 1024 * 1024
