import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../config/limits.ts'
import type { OutputRecord, ProcessExit, ProcessHandle } from '../../drivers/driver.ts'
import { newId } from '../ids.ts'
import { waitForExit } from '../processes/wait-for-exit.ts'
import { Interpretation } from './interpretation.ts'
import { parseKernelEvent, type KernelEvent } from './kernel-events.ts'

export interface KernelCall {
  code: string
  timeoutMs: number
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal
}

type Listener = (event: KernelEvent, bytes: number) => void

/**
 * The server's end of a kernel, which is a process of a computer: requests go to its stdin, events come on its stdout,
 * and what is written past it on its stderr. Does one call at a time; its user queues them.
 */
export class Kernel {
  readonly process: ProcessHandle
  /** Resolves at its end. */
  readonly ended: Promise<ProcessExit>
  #listener: Listener = () => {}
  #onMark: (mark: string) => void = () => {}
  #onRaw: (text: string) => void = () => {}
  /** The line that is not whole yet. */
  #line: Buffer[] = []
  #lineBytes = 0
  readonly #decoder = new StringDecoder('utf8')
  #stderr = ''
  /** The newest of what was written past it: of a kernel that died, often why. */
  #lastWords = ''

  private constructor(process: ProcessHandle, cursor: number) {
    this.process = process
    this.ended = this.#read(cursor)
      // What cannot be read is the monitor's loss, which the process's own end tells.
      .catch(() => {})
      .then(() => process.wait())
  }

  /** One that was just started. Rejects with `KernelEnd` when it ends instead, with `missing` set when its image lacks something. */
  static async started(process: ProcessHandle): Promise<Kernel> {
    const kernel = new Kernel(process, 0)
    const event = await kernel.#expect(({ event }) => event === 'ready' || event === 'missing', limits.kernelStartMs)
    if (event?.event === 'ready') return kernel
    await kernel.end()
    throw new KernelEnd(await kernel.ended, kernel.#lastWords, event?.event === 'missing' ? event.message : undefined)
  }

  /** One of a server before this: what it still does for a client that is gone is interrupted. undefined when it does not answer. */
  static async takenBack(process: ProcessHandle): Promise<Kernel | undefined> {
    const kernel = new Kernel(process, await process.outputEnd())
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
    await Promise.race([answered.promise, kernel.ended, delay(limits.kernelAnswerMs, undefined, { ref: false })])
    const isIdle = running === null || (running !== undefined && (await kernel.#interrupt(running, idle)))
    if (isIdle && !process.exit) return kernel
    await kernel.end()
    return undefined
  }

  /** Runs code to its end, its time limit, or the end of the kernel, whichever comes first. */
  async run({ code, timeoutMs, signal }: KernelCall): Promise<Interpretation> {
    const id = newId()
    const call = new Interpretation()
    const { promise: marked, resolve } = Promise.withResolvers<void>()
    this.#onMark = (mark) => {
      if (mark === id) resolve()
    }
    this.#lastWords = ''
    this.#onRaw = (text) => call.add({ event: 'output', id, name: 'stdout', text }, text.length)
    const done = this.#expect((event, bytes) => {
      if ('id' in event && event.id === id && event.event !== 'synced') call.add(event, bytes)
      return event.event === 'done' && event.id === id
    })
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
    const exit = event ? undefined : await this.ended
    call.finish(exit ? { exit, lastWords: this.#lastWords, why, timeoutMs } : { why, timeoutMs })
    return call
  }

  /** Ends it and everything that came of it. Rejects with `process_goes_on` when nothing is told of its end. */
  async end(): Promise<void> {
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

  /** The first event that is meant; undefined when the kernel ends first, or the time is over. */
  #expect(
    isMeant: (event: KernelEvent, bytes: number) => boolean,
    timeoutMs?: number,
  ): Promise<KernelEvent | undefined> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(undefined), timeoutMs)
      const settle = (event: KernelEvent | undefined) => {
        clearTimeout(timer)
        resolve(event)
      }
      this.#listener = (event, bytes) => {
        if (isMeant(event, bytes)) settle(event)
      }
      void this.ended.then(() => settle(undefined))
    })
  }

  /** Not waited for: a kernel that does not read is one that does not answer, which is seen to. */
  #send(request: Record<string, unknown>): void {
    this.process.write(Buffer.from(`${JSON.stringify(request)}\n`)).catch(() => {})
  }

  async #read(cursor: number): Promise<void> {
    for await (const { records } of this.process.follow(cursor)) for (const record of records) this.#take(record)
  }

  #take({ stream, data }: OutputRecord): void {
    if (stream === 'stderr') return this.#takeRaw(this.#decoder.write(data))
    let rest = data
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#takeLine(Buffer.concat([...this.#line, rest.subarray(0, end)]))
      this.#line = []
      this.#lineBytes = 0
      rest = rest.subarray(end + 1)
    }
    this.#line.push(rest)
    this.#lineBytes += rest.length
    // No kernel of ours has so much to say: the guest made something else of it.
    if (this.#lineBytes > maxLineBytes) void this.end().catch(() => {})
  }

  #takeLine(line: Buffer): void {
    const event = parseKernelEvent(line.toString('utf8'))
    if (event) this.#listener(event, line.length)
  }

  /** Text, and between it the marks that stand behind the last of each call. */
  #takeRaw(text: string): void {
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
const maxLineBytes = limits.interpretResultBytes + 1024 * 1024
// oxlint-disable-next-line no-control-regex
const markPattern = /\u001e([\w-]{1,64})\n/
const lastWordsLength = 4096
