import { setTimeout as delay } from 'node:timers/promises'
import { recordHeaderBytes } from '../monitor/journal.ts'
import { MonitorSilence } from '../monitors/monitor-client.ts'
import { isBetweenRecords, journalReadBytes, parseRecords, readJournal } from '../monitor/read-journal.ts'
import type { Monitors } from '../monitors/monitors.ts'
import type { ProcessState } from '../monitor/protocol.ts'
import type { EndReason, OutputChunk, OutputPiece, OutputRecord, ProcessExit, ProcessHandle } from '../../driver.ts'
import { CarrelError } from '../../../errors.ts'
import { FairSemaphore } from '../../../fair-semaphore.ts'

/** A process that the monitor runs, or ran, seen from the server. */
export class LocalProcess implements ProcessHandle {
  readonly processId: string
  readonly computerId: string
  readonly pid: number
  /** What the host calls it. */
  readonly hostPid: number
  readonly startedAtMs: number
  readonly timeoutMs: number | undefined
  readonly meta: Record<string, unknown>
  exit: ProcessExit | undefined
  readonly #directory: string
  /** Behind what was read last: who reads on has it from there. */
  #lastGiven = 0
  readonly #aheadBytes: number | undefined
  readonly #monitor: () => Monitors
  readonly #ended = Promise.withResolvers<ProcessExit>()
  /** All output of a short process, which went to no file before its exit was told. */
  #inline: Buffer | undefined
  #end = 0
  #wake = Promise.withResolvers<void>()
  #endedFor: EndReason | undefined

  constructor(state: ProcessState, monitor: () => Monitors, journal?: string) {
    this.processId = state.processId
    this.computerId = state.computerId
    this.pid = state.insidePid ?? 0
    this.hostPid = state.pid
    this.startedAtMs = state.startedAtMs
    this.timeoutMs = state.timeoutMs
    this.meta = state.meta
    this.#directory = state.directory
    this.#aheadBytes = state.aheadBytes
    this.#monitor = monitor
    if (state.exit) this.ended(state.exit, journal)
  }

  /** Called once, with what the monitor, or its loss, tells. */
  ended(exit: ProcessExit, journal?: string): void {
    if (this.exit) return
    // A program that is told to end may do so by itself.
    const isTold = exit.reason === 'signalled' || exit.reason === 'exited'
    this.exit = this.#endedFor && isTold ? { ...exit, reason: this.#endedFor } : exit
    this.#inline = journal === undefined ? undefined : Buffer.from(journal, 'base64')
    this.#ended.resolve(this.exit)
    this.#wake.resolve()
  }

  get unresponsive(): boolean {
    return !this.exit && this.#monitor().isSilent(this.processId)
  }

  grew(end: number): void {
    this.#end = end
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  wait(): Promise<ProcessExit> {
    return this.#ended.promise
  }

  /** Throws an `invalid_request` for a cursor that no answer gave: what came next would be read as something else, or skipped. */
  async checkCursor(cursor: number): Promise<void> {
    if (cursor === 0 || cursor === this.#lastGiven) return
    const isOne = this.#inline
      ? parseRecords(this.#inline.subarray(0, cursor), Infinity).consumed === cursor
      : await isBetweenRecords(this.#directory, cursor)
    if (isOne) return
    throw new CarrelError('invalid_request', 'Cannot use field "cursor": it is none that came with output', {
      details: { field: 'cursor' },
    })
  }

  /** What is kept from a cursor on, at most 1 MiB. */
  async read(cursor: number, buffer?: Buffer): Promise<OutputChunk> {
    const chunk = await this.#readFrom(cursor, buffer)
    this.#lastGiven = chunk.cursor
    return chunk
  }

  async #readFrom(cursor: number, buffer?: Buffer): Promise<OutputChunk> {
    if (this.#inline) {
      const { records } = parseRecords(this.#inline.subarray(cursor), Infinity)
      const end = this.#inline.length
      return { records: withCursors(records, end), cursor: end, truncated: this.#isCutOff, done: true }
    }
    // While the monitor does not answer, what is on the disk is what there is.
    if (!this.exit) await this.#follow()
    const ended = this.exit !== undefined
    const part = await journalReads.run(this.computerId, () => readJournal(this.#directory, cursor, buffer))
    // All of it was dropped: what is not there any more is not nothing.
    const isGone = this.exit !== undefined && this.exit.outputBytes > 0 && cursor === 0 && part.records.length === 0
    const done = ended && part.records.length === 0
    const truncated = part.truncated || isGone || (done && this.#isCutOff)
    return { records: withCursors(part.records, part.cursor), cursor: part.cursor, truncated, done }
  }

  /** What the monitor had not written when it was killed is lost, at the end of what is kept. */
  get #isCutOff(): boolean {
    return this.exit?.reason === 'lost'
  }

  async *follow(
    from: number,
    signal?: AbortSignal,
    { borrowed = false, maxChunkBytes = journalReadBytes }: { borrowed?: boolean; maxChunkBytes?: number } = {},
  ): AsyncIterable<OutputChunk> {
    await this.checkCursor(from)
    // One buffer for all of it: a new one for each MiB keeps the collector busier than anything else.
    const buffer = borrowed && !this.#inline ? Buffer.allocUnsafeSlow(maxChunkBytes) : undefined
    let cursor = from
    let missed = false
    // Who comes back tells at once from where: it may have been held back since.
    let told = from > 0 ? -Infinity : 0
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    if (!this.exit) this.#end = (await this.#follow()) ?? this.#end
    while (!signal?.aborted) {
      const wake = this.#wake.promise
      if (this.#aheadBytes !== undefined && cursor - told > this.#aheadBytes / 4) {
        told = cursor
        this.#tellTaken(cursor)
      }
      const chunk = await this.read(cursor, buffer)
      cursor = chunk.cursor
      // Told with what comes next, where nothing is left of what came before.
      missed ||= chunk.truncated
      if (chunk.records.length > 0 || chunk.done) {
        yield { ...chunk, truncated: missed }
        missed = false
      }
      if (chunk.done) return
      if (chunk.records.length > 0 || this.exit) continue
      // Told and not there: it is being dropped in this moment, or could not be written.
      const waits: Promise<unknown>[] = this.#end > cursor ? [delay(unreadableMs)] : []
      await Promise.race([...waits, wake, this.#ended.promise, aborted])
    }
  }

  /** Of an ended one nothing comes any more: what was told last is all. */
  async outputEnd(): Promise<number> {
    if (!this.exit) this.#end = (await this.#follow()) ?? this.#end
    return this.#inline?.length ?? this.#end
  }

  async write(data: Uint8Array): Promise<void> {
    await this.#ask('write to', { op: 'write', processId: this.processId, data: Buffer.from(data).toString('base64') })
  }

  async closeStdin(): Promise<void> {
    await this.#ask('close stdin of', { op: 'close-stdin', processId: this.processId })
  }

  async resize(cols: number, rows: number): Promise<void> {
    await this.#ask('resize', { op: 'resize', processId: this.processId, cols, rows })
  }

  async kill(signal: NodeJS.Signals, scope: 'process' | 'tree', why?: EndReason): Promise<void> {
    if (this.exit) return
    this.#endedFor ??= why
    await this.#ask('signal', { op: 'kill', processId: this.processId, signal, scope })
  }

  async #follow(): Promise<number | undefined> {
    try {
      return (await this.#monitor().request<{ end: number }>({ op: 'follow', processId: this.processId })).end
    } catch (error) {
      if (this.exit || this.unresponsive) return undefined
      throw error
    }
  }

  /** It may write on behind what was read. */
  #tellTaken(cursor: number): void {
    const { processId } = this
    if (!this.exit)
      void this.#monitor()
        .request({ op: 'taken', processId, cursor })
        .catch(() => {})
  }

  async #ask(doing: string, request: Parameters<Monitors['request']>[0]): Promise<void> {
    if (this.exit)
      throw new CarrelError('conflict', `Cannot ${doing} process "${this.processId}": it has ended`, {
        details: { processId: this.processId },
      })
    try {
      await this.#monitor().request(request)
    } catch (error) {
      if (error instanceof MonitorSilence) throw noAnswer(doing, this.processId, error)
      const why = error instanceof Error ? error.message : String(error)
      throw new CarrelError('conflict', `Cannot ${doing} process "${this.processId}": ${why}`, {
        details: { processId: this.processId },
        cause: error,
      })
    }
  }
}

function noAnswer(doing: string, processId: string, cause: unknown): CarrelError {
  const message = `Cannot ${doing} process "${processId}": the process monitor does not answer`
  return new CarrelError('unavailable', message, { details: { processId }, cause })
}

/** Each read takes a file descriptor, and any number of clients may follow any number of processes. */
const journalReads = new FairSemaphore({
  action: 'read the output',
  permits: 64,
  maxHoldMs: 1000,
  maxWaitingOfOne: Infinity,
  maxWaiting: Infinity,
})

/** Records that end at a cursor, each with its own. */
function withCursors(records: OutputRecord[], end: number): OutputPiece[] {
  let cursor = end - records.reduce((sum, { data }) => sum + recordHeaderBytes + data.length, 0)
  return records.map(({ stream, data }) => {
    const start = cursor
    cursor += recordHeaderBytes + data.length
    return { stream, data, start, cursor }
  })
}

const unreadableMs = 20
