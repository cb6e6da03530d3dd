import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import type { OutputRecord, ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import { writeJson } from '../../../json/write-json.ts'
import { Slices } from '../../../slices.ts'
import { newId } from '../../ids.ts'
import type { MemoryBudget } from '../../budgets/memory-budget.ts'
import { waitForExit } from '../processes/wait-for-exit.ts'
import { Interpretation } from './interpretation.ts'
import { CallMemory } from './call-memory.ts'
import { readKernelEvent, type KernelEvent } from './kernel-events.ts'
import { KernelLines } from './kernel-lines.ts'

export interface KernelCall {
  code: string
  /** Undefined for no limit. */
  timeoutMs: number | undefined
  /** Aborts when the client no longer waits for the response. */
  signal: AbortSignal
}

/** Handles an event. Returns false when the event has no effect. */
type Listener = (event: KernelEvent, weight: number) => boolean

/** What a kernel is made of: its process, and the memory budget of the server. */
interface Parts {
  process: ProcessHandle
  memory: MemoryBudget
}

/**
 * The server's end of a kernel, which is a process of a computer. Requests go to the kernel's stdin; events arrive on
 * its stdout, and output that bypasses the protocol on its stderr. A kernel runs one call at a time; `Kernels` queues
 * the calls.
 */
export class Kernel {
  readonly process: ProcessHandle
  /** Resolves when the kernel has ended. */
  readonly ended: Promise<ProcessExit>
  readonly #memory: MemoryBudget
  readonly #accountId: string
  readonly #slices: Slices
  readonly #lines: KernelLines
  #listener: Listener = () => false
  #onMark: (mark: string) => void = () => {}
  #onRaw: (text: string) => void = () => {}
  #onDropped: () => void = () => {}
  readonly #decoder = new StringDecoder('utf8')
  #stderr = ''
  /** The newest output that bypassed the protocol: when a kernel dies, it often says why. */
  #lastOutput = ''
  /** What the kernel has sent in the current call, or since the last one. */
  #received = { bytes: 0, useless: 0 }
  /** Aborts when the server ends the kernel: its output is no longer read. */
  readonly #abandoned = new AbortController()
  /** Why the server ended the kernel, when the kernel broke its protocol. */
  #fault: string | undefined

  private constructor({ process, memory }: Parts, cursor: number) {
    this.process = process
    this.#memory = memory
    this.#accountId = String(process.meta.accountId)
    this.#slices = new Slices(this.#accountId)
    this.#lines = new KernelLines({ memory, accountId: this.#accountId, onDropped: () => this.#onDropped() })
    const abandoned = new Promise<void>((resolve) => this.#abandoned.signal.addEventListener('abort', () => resolve()))
    const read = this.#read(cursor)
      // A failed read means that the monitor is lost, which the exit of the process reports.
      .catch(() => {})
      .finally(() => this.#lines.next())
    this.ended = Promise.race([read, abandoned]).then(() => process.wait())
  }

  /**
   * Returns the kernel of a process that has just started. Throws `KernelEnd` when the kernel ends instead; its
   * `missing` is set when the image lacks something that the kernel needs.
   */
  static async started(parts: Parts): Promise<Kernel> {
    const kernel = new Kernel(parts, 0)
    const event = await kernel.#expect(
      ({ event }) => event === 'ready' || event === 'missing',
      undefined,
      limits.kernelStartMs,
    )
    if (event?.event === 'ready') return kernel
    await kernel.end()
    const why = kernel.#fault ?? kernel.#lastOutput
    throw new KernelEnd(await kernel.ended, why, event?.event === 'missing' ? event.message : undefined)
  }

  /**
   * Returns the kernel of a process that an earlier server started, after interrupting the call that it still runs for
   * a disconnected client; undefined when the kernel does not answer, and is ended.
   */
  static async reconnected(parts: Parts): Promise<Kernel | undefined> {
    const { process } = parts
    const kernel = new Kernel(parts, await process.outputEnd())
    const id = newId()
    const answered = Promise.withResolvers<void>()
    let running: string | null | undefined
    const idle = kernel.#expect((event) => {
      if (event.event !== 'synced' || event.id !== id) return event.event === 'done' && event.id === running
      ;({ running } = event)
      answered.resolve()
      return running === null
    })
    // The kernel takes the first one for the rest of a request, where the earlier server was killed while it wrote that.
    for (let sent = 0; sent < 2; sent++) kernel.#send({ op: 'sync', id })
    await Promise.race([answered.promise, kernel.ended, delay(limits.kernelReconnectMs, undefined, { ref: false })])
    const isIdle = running === null || (running !== undefined && (await kernel.#interrupt(running, idle)))
    if (isIdle && !process.exit) return kernel
    await kernel.end()
    return undefined
  }

  /**
   * Runs code until it ends, its time limit passes or the kernel ends, whichever comes first. `memory` is what the
   * outcome takes; it has to be released when the response has been sent.
   */
  async run({ code, timeoutMs, signal }: KernelCall): Promise<{ interpretation: Interpretation; memory: CallMemory }> {
    const id = newId()
    const memory = new CallMemory(this.#memory, this.#accountId)
    const call = new Interpretation(memory)
    const { promise: marked, resolve } = Promise.withResolvers<void>()
    this.#onMark = (mark) => {
      if (mark === id) resolve()
    }
    this.#lastOutput = ''
    this.#received = { bytes: 0, useless: 0 }
    this.#onRaw = (text) => void call.add({ event: 'output', id, name: 'stdout', text }, text.length)
    this.#onDropped = () => {
      call.truncated = true
    }
    const done = this.#expect(
      (event) => event.event === 'done' && event.id === id,
      (event, weight) => 'id' in event && event.id === id && event.event !== 'synced' && call.add(event, weight),
    )
    const { interpretStreamCharacters: streamCharacters, interpretResultBytes: resultBytes } = limits
    this.#send({ op: 'run', id, code, streamCharacters, resultBytes })
    const stopped = interruptionOf(timeoutMs, signal)
    const why = await Promise.race([done.then(() => undefined), stopped.reason])
    stopped.clear()
    const hasStopped = why === undefined || (await this.#interrupt(id, done))
    if (!hasStopped) await this.end()
    const event = await done
    // Code that closes stderr never sends the mark, but sends nothing else by stderr either.
    if (event) await Promise.race([marked, this.ended, delay(limits.interruptGraceMs, undefined, { ref: false })])
    this.#onRaw = () => {}
    this.#onDropped = () => {}
    this.#listener = () => false
    const exit = event ? undefined : await this.ended
    call.finish(exit ? { exit, lastOutput: this.#lastOutput, fault: this.#fault, why, timeoutMs } : { why, timeoutMs })
    return { interpretation: call, memory }
  }

  /**
   * Ends the kernel and all its descendants, and ignores output that is not read yet. Throws `process_goes_on` when its
   * end is not reported.
   */
  async end(): Promise<void> {
    this.#abandoned.abort()
    await this.process.kill('SIGKILL', 'tree').catch(() => {})
    await waitForExit({ closing: never }, this.process, Date.now())
    await this.ended
  }

  /** Interrupts the kernel, then its programs too. Returns false when the code continues all the same. */
  async #interrupt(id: string, done: Promise<unknown>): Promise<boolean> {
    const pending = Symbol('pending')
    const within = (ms: number) => Promise.race([done, delay(ms, pending, { ref: false })])
    this.#send({ op: 'interrupt', id })
    if ((await within(limits.interruptGraceMs)) !== pending) return true
    // Code that waits for a program notices the interruption only after the program has ended.
    await this.process.kill('SIGINT', 'tree').catch(() => {})
    return (await within(limits.interruptGraceMs)) !== pending
  }

  /**
   * Returns the first event that `isMeant` accepts; undefined when the kernel ends first, or the time is over. Every
   * event is passed to `take`.
   */
  #expect(
    isMeant: (event: KernelEvent) => boolean,
    take: Listener = () => false,
    timeoutMs?: number,
  ): Promise<KernelEvent | undefined> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(undefined), timeoutMs)
      const settle = (event: KernelEvent | undefined) => {
        clearTimeout(timer)
        resolve(event)
      }
      this.#listener = (event, weight) => {
        const isUseful = take(event, weight)
        if (!isMeant(event)) return isUseful
        settle(event)
        return true
      }
      void this.ended.then(() => settle(undefined))
    })
  }

  /**
   * Sends a request without waiting: a kernel that does not read does not answer either, and time limits cover that.
   */
  #send(request: Record<string, unknown>): void {
    this.#sending = this.#sending.then(() => this.#write(request)).catch(() => {})
  }

  #sending: Promise<void> = Promise.resolve()

  async #write(request: Record<string, unknown>): Promise<void> {
    let last = ''
    for await (const piece of writeJson(request, new Slices(this.#accountId))) {
      if (last !== '') await this.process.write(Buffer.from(last))
      last = piece
    }
    await this.process.write(Buffer.from(`${last}\n`))
  }

  async #read(cursor: number): Promise<void> {
    for await (const { records } of this.process.follow(cursor, this.#abandoned.signal, { borrowed: true }))
      for (const record of records) {
        if (this.#abandoned.signal.aborted) return
        await this.#take(record)
      }
  }

  async #take({ stream, data }: OutputRecord): Promise<void> {
    if (stream === 'stderr') return this.#takeRaw(data)
    let rest = data
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      const line = await this.#lines.end(rest.subarray(0, end))
      if (line) await this.#takeLine(line)
      this.#lines.next()
      if (this.#abandoned.signal.aborted) return
      if (this.#slices.isOver) await this.#slices.next()
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) await this.#lines.add(rest)
  }

  async #takeLine(line: Buffer): Promise<void> {
    this.#received.bytes += line.length
    if (!(await this.#hasEffect(line))) this.#received.useless++
    if (this.#received.bytes > limits.kernelCallBytes)
      this.#endFor(`it sent more than ${limits.kernelCallBytes} bytes in one call`)
    else if (this.#received.useless > limits.kernelUnknownLines)
      this.#endFor(`it sent more than ${limits.kernelUnknownLines} meaningless lines`)
  }

  /** Returns false when the line has no effect. */
  async #hasEffect(line: Buffer): Promise<boolean> {
    try {
      const read = await readKernelEvent(line, this.#slices)
      return read !== undefined && this.#listener(read.event, read.weight)
    } catch {
      this.#onDropped()
      return false
    }
  }

  /** Ends a kernel that breaks the protocol, which an unmodified kernel never does: the guest has replaced it. */
  #endFor(fault: string): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    void this.end().catch(() => {})
  }

  async #takeRaw(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; at += rawBytes) {
      this.#takeText(this.#decoder.write(data.subarray(at, at + rawBytes)))
      if (this.#slices.isOver) await this.#slices.next()
    }
  }

  /** Takes text that may contain marks: each follows the last output of a call. */
  #takeText(text: string): void {
    const parts = (this.#stderr + text).split(markPattern)
    // A mark may have arrived in part.
    // oxlint-disable-next-line no-control-regex
    const begun = /\u001e[\w-]{0,64}$/.exec(parts.at(-1)!)
    this.#stderr = begun?.[0] ?? ''
    if (begun) parts.push(parts.pop()!.slice(0, begun.index))
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 1) this.#onMark(part)
      else if (part !== '') {
        this.#lastOutput = (this.#lastOutput + part).slice(-lastOutputLength)
        this.#onRaw(part)
      }
    }
  }
}

/** The error for a kernel that ended before it was ready. */
export class KernelEnd extends Error {
  readonly exit: ProcessExit
  /** What the image lacks. */
  readonly missing: string | undefined

  constructor(exit: ProcessExit, lastOutput: string, missing: string | undefined) {
    super(lastOutput.trim().split('\n').at(-1) || `it ended with ${exit.signal ?? exit.exitCode}`)
    this.name = 'KernelEnd'
    this.exit = exit
    this.missing = missing
  }
}

function interruptionOf(timeoutMs: number | undefined, signal: AbortSignal) {
  const { promise: reason, resolve } = Promise.withResolvers<'timeout' | 'disconnected'>()
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve('timeout'), timeoutMs)
  const disconnect = () => resolve('disconnected')
  if (signal.aborted) disconnect()
  signal.addEventListener('abort', disconnect, { once: true })
  const clear = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', disconnect)
  }
  return { reason, clear }
}

const never = new AbortController().signal
const newline = 10
/** How much text is scanned in one go. */
const rawBytes = 8 * 1024
// oxlint-disable-next-line no-control-regex
const markPattern = /\u001e([\w-]{1,64})\n/
const lastOutputLength = 4096
