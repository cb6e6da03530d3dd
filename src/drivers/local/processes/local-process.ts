import { setTimeout as delay } from 'node:timers/promises'
import { recordHeaderBytes } from '../monitor/journal.ts'
import { MonitorSilence } from '../monitors/monitor-client.ts'
import { isBetweenRecords, journalReadBytes, parseRecords, readJournal } from '../monitor/read-journal.ts'
import type { Monitors } from '../monitors/monitors.ts'
import type { ProcessState } from '../monitor/protocol.ts'
import type { EndReason, OutputChunk, OutputPiece, OutputRecord, ProcessExit, ProcessHandle } from '../../driver.ts'
import { CarrelError } from '../../../errors.ts'
import { FairSemaphore } from '../../../fair-semaphore.ts'

/** The server's view of a process that the monitor runs or ran. */
export class LocalProcess implements ProcessHandle {
  readonly processId: string
  readonly computerId: string
  readonly pid: number
  /** Process id on the host. */
  readonly hostPid: number
  readonly startedAtMs: number
  readonly timeoutMs: number | undefined
  readonly meta: Record<string, unknown>
  exit: ProcessExit | undefined
  readonly #directory: string
  /** The cursor after the last read, which is known to be valid. */
  #lastCursor = 0
  readonly #aheadBytes: number | undefined
  readonly #monitor: () => Monitors
  readonly #ended = Promise.withResolvers<ProcessExit>()
  /** All output of a short process, which the monitor reports with the exit. */
  #inline: Buffer | undefined
  #end = 0
  #wake = Promise.withResolvers<void>()
  #endReason: EndReason | undefined

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

  /** Sets the exit that the monitor reported, or that follows from the loss of the monitor. Later calls do nothing. */
  ended(exit: ProcessExit, journal?: string): void {
    if (this.exit) return
    // A program can exit by itself after the signal.
    const isByRequest = exit.reason === 'signalled' || exit.reason === 'exited'
    this.exit = this.#endReason && isByRequest ? { ...exit, reason: this.#endReason } : exit
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

  /**
   * Throws `invalid_request` for a cursor that is not between records: reading from it would misread or skip output.
   */
  async checkCursor(cursor: number): Promise<void> {
    if (cursor === 0 || cursor === this.#lastCursor) return
    const isValid = this.#inline
      ? parseRecords(this.#inline.subarray(0, cursor), Infinity).consumed === cursor
      : await isBetweenRecords(this.#directory, cursor)
    if (isValid) return
    throw new CarrelError('invalid_request', 'Cannot use field "cursor": it is not a cursor that came with output', {
      details: { field: 'cursor' },
    })
  }

  /** Reads the retained output from a cursor on, at most 1 MiB. */
  async read(cursor: number, buffer?: Buffer): Promise<OutputChunk> {
    const chunk = await this.#readFrom(cursor, buffer)
    this.#lastCursor = chunk.cursor
    return chunk
  }

  async #readFrom(cursor: number, buffer?: Buffer): Promise<OutputChunk> {
    if (this.#inline) {
      const { records } = parseRecords(this.#inline.subarray(cursor), Infinity)
      const end = this.#inline.length
      return { records: withCursors(records, end), cursor: end, truncated: this.#isCutOff, done: true }
    }
    // Makes the monitor write the output to the disk. While it does not answer, only what is on the disk can be read.
    if (!this.exit) await this.#follow()
    const ended = this.exit !== undefined
    const part = await journalReads.run(this.computerId, () => readJournal(this.#directory, cursor, buffer))
    // No records at the start of a process with output: all of it was dropped.
    const isDropped = this.exit !== undefined && this.exit.outputBytes > 0 && cursor === 0 && part.records.length === 0
    const done = ended && part.records.length === 0
    const truncated = part.truncated || isDropped || (done && this.#isCutOff)
    return { records: withCursors(part.records, part.cursor), cursor: part.cursor, truncated, done }
  }

  /** True when the monitor was killed, so that output which it had not written is missing at the end. */
  get #isCutOff(): boolean {
    return this.exit?.reason === 'lost'
  }

  async *follow(
    from: number,
    signal?: AbortSignal,
    { borrowed = false, maxChunkBytes = journalReadBytes }: { borrowed?: boolean; maxChunkBytes?: number } = {},
  ): AsyncIterable<OutputChunk> {
    await this.checkCursor(from)
    // One buffer for all chunks: allocating each MiB anew would make garbage collection the largest cost.
    const buffer = borrowed && !this.#inline ? Buffer.allocUnsafeSlow(maxChunkBytes) : undefined
    let cursor = from
    let missed = false
    // A client that returns acknowledges its cursor at once, as the process may have been waiting since it left.
    let acknowledged = from > 0 ? -Infinity : 0
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    if (!this.exit) this.#end = (await this.#follow()) ?? this.#end
    while (!signal?.aborted) {
      const wake = this.#wake.promise
      if (this.#aheadBytes !== undefined && cursor - acknowledged > this.#aheadBytes / 4) {
        acknowledged = cursor
        this.#acknowledge(cursor)
      }
      const chunk = await this.read(cursor, buffer)
      cursor = chunk.cursor
      // A loss is reported with the next chunk that has records.
      missed ||= chunk.truncated
      if (chunk.records.length > 0 || chunk.done) {
        yield { ...chunk, truncated: missed }
        missed = false
      }
      if (chunk.done) return
      if (chunk.records.length > 0 || this.exit) continue
      // Output that was reported but cannot be read is being dropped now, or could not be written.
      const waits: Promise<unknown>[] = this.#end > cursor ? [delay(unreadableMs)] : []
      await Promise.race([...waits, wake, this.#ended.promise, aborted])
    }
  }

  /** For an ended process, the last reported end is final. */
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

  async kill(signal: NodeJS.Signals, scope: 'process' | 'tree', reason?: EndReason): Promise<void> {
    if (this.exit) return
    this.#endReason ??= reason
    await this.#ask('signal', { op: 'kill', processId: this.processId, signal, scope })
  }

  /** Returns the end of the output so far; undefined when the process has ended or the monitor does not answer. */
  async #follow(): Promise<number | undefined> {
    try {
      return (await this.#monitor().request<{ end: number }>({ op: 'follow', processId: this.processId })).end
    } catch (error) {
      if (this.exit || this.unresponsive) return undefined
      throw error
    }
  }

  /** Tells the monitor what was read, so that a waiting process can continue to write. */
  #acknowledge(cursor: number): void {
    const { processId } = this
    if (!this.exit)
      void this.#monitor()
        .request({ op: 'taken', processId, cursor })
        .catch(() => {})
  }

  async #ask(action: string, request: Parameters<Monitors['request']>[0]): Promise<void> {
    if (this.exit)
      throw new CarrelError('conflict', `Cannot ${action} process "${this.processId}": it has ended`, {
        details: { processId: this.processId },
      })
    try {
      await this.#monitor().request(request)
    } catch (error) {
      if (error instanceof MonitorSilence) throw noAnswer(action, this.processId, error)
      const reason = error instanceof Error ? error.message : String(error)
      throw new CarrelError('conflict', `Cannot ${action} process "${this.processId}": ${reason}`, {
        details: { processId: this.processId },
        cause: error,
      })
    }
  }
}

function noAnswer(action: string, processId: string, cause: unknown): CarrelError {
  const message = `Cannot ${action} process "${processId}": the process monitor does not answer`
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

/** Returns the records with their cursors; `end` is the cursor after the last. */
function withCursors(records: OutputRecord[], end: number): OutputPiece[] {
  let cursor = end - records.reduce((sum, { data }) => sum + recordHeaderBytes + data.length, 0)
  return records.map(({ stream, data }) => {
    const start = cursor
    cursor += recordHeaderBytes + data.length
    return { stream, data, start, cursor }
  })
}

const unreadableMs = 20
