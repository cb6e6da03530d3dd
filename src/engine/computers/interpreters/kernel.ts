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
  timeoutMs: number
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal
}

/** False when an event says nothing to anybody. */
type Listener = (event: KernelEvent, weight: number) => boolean

/** What a kernel needs of the server. */
interface Parts {
  process: ProcessHandle
  memory: MemoryBudget
}

/**
 * The server's end of a kernel, which is a process of a computer: requests go to its stdin, events come on its stdout,
 * and what is written past it on its stderr. Does one call at a time; its user queues them.
 */
export class Kernel {
  readonly process: ProcessHandle
  /** Resolves at its end. */
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
  /** The newest of what was written past it: of a kernel that died, often why. */
  #lastWords = ''
  /** Of the call that runs, or since the last. */
  #said = { bytes: 0, useless: 0 }
  /** Aborts when it is ended: nobody listens any more. */
  readonly #over = new AbortController()
  /** Why it was ended, when it said what no kernel says. */
  #fault: string | undefined

  private constructor({ process, memory }: Parts, cursor: number) {
    this.process = process
    this.#memory = memory
    this.#accountId = String(process.meta.accountId)
    this.#slices = new Slices(this.#accountId)
    this.#lines = new KernelLines({ memory, accountId: this.#accountId, onDropped: () => this.#onDropped() })
    const over = new Promise<void>((resolve) => this.#over.signal.addEventListener('abort', () => resolve()))
    const read = this.#read(cursor)
      // What cannot be read is the monitor's loss, which the process's own end tells.
      .catch(() => {})
      .finally(() => this.#lines.next())
    this.ended = Promise.race([read, over]).then(() => process.wait())
  }

  /** One that was just started. Rejects with `KernelEnd` when it ends instead, with `missing` set when its image lacks something. */
  static async started(parts: Parts): Promise<Kernel> {
    const kernel = new Kernel(parts, 0)
    const event = await kernel.#expect(
      ({ event }) => event === 'ready' || event === 'missing',
      undefined,
      limits.kernelStartMs,
    )
    if (event?.event === 'ready') return kernel
    await kernel.end()
    const why = kernel.#fault ?? kernel.#lastWords
    throw new KernelEnd(await kernel.ended, why, event?.event === 'missing' ? event.message : undefined)
  }

  /** One of a server before this: what it still does for a client that is gone is interrupted. undefined when it does not answer. */
  static async takenBack(parts: Parts): Promise<Kernel | undefined> {
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
    kernel.#send({ op: 'sync', id })
    await Promise.race([answered.promise, kernel.ended, delay(limits.kernelReconnectMs, undefined, { ref: false })])
    const isIdle = running === null || (running !== undefined && (await kernel.#interrupt(running, idle)))
    if (isIdle && !process.exit) return kernel
    await kernel.end()
    return undefined
  }

  /**
   * Runs code to its end, its time limit, or the end of the kernel, whichever comes first. `memory` is for what comes of it, and is to be given
   * back when that has gone out.
   */
  async run({ code, timeoutMs, signal }: KernelCall): Promise<{ interpretation: Interpretation; memory: CallMemory }> {
    const id = newId()
    const memory = new CallMemory(this.#memory, this.#accountId)
    const call = new Interpretation(memory)
    const { promise: marked, resolve } = Promise.withResolvers<void>()
    this.#onMark = (mark) => {
      if (mark === id) resolve()
    }
    this.#lastWords = ''
    this.#said = { bytes: 0, useless: 0 }
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
    const stopped = stopOf(timeoutMs, signal)
    const why = await Promise.race([done.then(() => undefined), stopped.reason])
    stopped.clear()
    const yielded = why === undefined || (await this.#interrupt(id, done))
    if (!yielded) await this.end()
    const event = await done
    // Who closed the file that it comes by has no more to say by it either.
    if (event) await Promise.race([marked, this.ended, delay(limits.interruptGraceMs, undefined, { ref: false })])
    this.#onRaw = () => {}
    this.#onDropped = () => {}
    this.#listener = () => false
    const exit = event ? undefined : await this.ended
    call.finish(exit ? { exit, lastWords: this.#lastWords, fault: this.#fault, why, timeoutMs } : { why, timeoutMs })
    return { interpretation: call, memory }
  }

  /** Ends it and everything that came of it. What it still had to say is not heard. Rejects with `process_goes_on` when nothing is told of its end. */
  async end(): Promise<void> {
    this.#over.abort()
    await this.process.kill('SIGKILL', 'tree').catch(() => {})
    await waitForExit({ closing: never }, this.process, Date.now())
    await this.ended
  }

  /** Asks the kernel, then its programs too; false when the code goes on all the same. */
  async #interrupt(id: string, done: Promise<unknown>): Promise<boolean> {
    const pending = Symbol('pending')
    const within = (ms: number) => Promise.race([done, delay(ms, pending, { ref: false })])
    this.#send({ op: 'interrupt', id })
    if ((await within(limits.interruptGraceMs)) !== pending) return true
    // Code that waits for a program hears of nothing before that one has ended.
    await this.process.kill('SIGINT', 'tree').catch(() => {})
    return (await within(limits.interruptGraceMs)) !== pending
  }

  /** The first event that is meant; undefined when the kernel ends first, or the time is over. `take` hears every event. */
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

  /** Not waited for: a kernel that does not read is one that does not answer, which is seen to. */
  #send(request: Record<string, unknown>): void {
    this.#sending = this.#sending.then(() => this.#write(request)).catch(() => {})
  }

  #sending: Promise<void> = Promise.resolve()

  async #write(request: Record<string, unknown>): Promise<void> {
    for await (const piece of writeJson(request, new Slices(this.#accountId)))
      await this.process.write(Buffer.from(piece))
    await this.process.write(Buffer.from('\n'))
  }

  async #read(cursor: number): Promise<void> {
    for await (const { records } of this.process.follow(cursor, this.#over.signal, { borrowed: true }))
      for (const record of records) {
        if (this.#over.signal.aborted) return
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
      if (this.#over.signal.aborted) return
      if (this.#slices.isOver) await this.#slices.next()
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) await this.#lines.add(rest)
  }

  async #takeLine(line: Buffer): Promise<void> {
    this.#said.bytes += line.length
    if (!(await this.#isHeard(line))) this.#said.useless++
    if (this.#said.bytes > limits.kernelCallBytes)
      this.#accuse(`it said more than ${limits.kernelCallBytes} bytes in one call`)
    else if (this.#said.useless > limits.kernelUnknownLines)
      this.#accuse(`it said more than ${limits.kernelUnknownLines} lines that mean nothing`)
  }

  /** False when the line says nothing to anybody. */
  async #isHeard(line: Buffer): Promise<boolean> {
    try {
      const heard = await readKernelEvent(line, this.#slices)
      return heard !== undefined && this.#listener(heard.event, heard.weight)
    } catch {
      this.#onDropped()
      return false
    }
  }

  /** No kernel of ours says this: the guest made something else of it. */
  #accuse(fault: string): void {
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

  /** Text, and between it the marks that stand behind the last of each call. */
  #takeText(text: string): void {
    const parts = (this.#stderr + text).split(markPattern)
    // A mark may have come in part.
    // oxlint-disable-next-line no-control-regex
    const begun = /\u001e[\w-]{0,64}$/.exec(parts.at(-1)!)
    this.#stderr = begun?.[0] ?? ''
    if (begun) parts.push(parts.pop()!.slice(0, begun.index))
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 1) this.#onMark(part)
      else if (part !== '') {
        this.#lastWords = (this.#lastWords + part).slice(-lastWordsLength)
        this.#onRaw(part)
      }
    }
  }
}

/** A kernel that ended before it could do anything. */
export class KernelEnd extends Error {
  readonly exit: ProcessExit
  /** What it lacks. */
  readonly missing: string | undefined

  constructor(exit: ProcessExit, lastWords: string, missing: string | undefined) {
    super(lastWords.trim().split('\n').at(-1) || `it ended with ${exit.signal ?? exit.exitCode}`)
    this.name = 'KernelEnd'
    this.exit = exit
    this.missing = missing
  }
}

function stopOf(timeoutMs: number, signal: AbortSignal) {
  const { promise: reason, resolve } = Promise.withResolvers<'timeout' | 'left'>()
  const timer = setTimeout(() => resolve('timeout'), timeoutMs)
  const leave = () => resolve('left')
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  const clear = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
  return { reason, clear }
}

const never = new AbortController().signal
const newline = 10
/** Of text that is looked through in one go. */
const rawBytes = 8 * 1024
// oxlint-disable-next-line no-control-regex
const markPattern = /\u001e([\w-]{1,64})\n/
const lastWordsLength = 4096
