import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'

/** A position in what a terminal has printed. */
interface Place {
  /** In bytes of output. */
  offset: number
  /** As the process counts. */
  cursor: number
}

/** Where to follow a process from. */
export interface FollowFrom {
  /** The offset of the first byte that is sent. */
  offset: number
  cursor: number
  /** How many bytes from the cursor on come before it. */
  skipBytes: number
  /** The offset at which the output ends so far. */
  end: number
}

/**
 * The positions in a terminal's output, counted in bytes of output, as its clients count what they receive. The process
 * counts otherwise, so that some of its positions are remembered: those of the newest output.
 */
export class TerminalOutput {
  readonly #process: ProcessHandle
  readonly #places: Place[] = [{ offset: 0, cursor: 0 }]
  #end: Place = { offset: 0, cursor: 0 }
  #reading: Promise<void> | undefined

  constructor(process: ProcessHandle) {
    this.#process = process
  }

  /**
   * Returns where a client continues that has received everything before an offset: there, or after what is too old to be
   * sent. A client that comes from elsewhere gets all that is sent to a new one.
   */
  async from(after: number): Promise<FollowFrom> {
    await (this.#reading ??= this.#readToEnd().finally(() => (this.#reading = undefined)))
    const first = this.#places[0]!.offset
    const oldest = Math.max(first, this.#end.offset - limits.terminalReplayBytes)
    const offset = after >= oldest && after <= this.#end.offset ? after : oldest
    const place = this.#places.findLast((one) => one.offset <= offset) ?? this.#places[0]!
    return { offset, cursor: place.cursor, skipBytes: offset - place.offset, end: this.#end.offset }
  }

  /** Counts what was printed since the last call. */
  async #readToEnd(): Promise<void> {
    const end = this.#process.exit ? Infinity : await this.#process.outputEnd()
    if (this.#end.cursor >= end) return
    const stop = new AbortController()
    const chunks = this.#process.follow(this.#end.cursor, stop.signal, { borrowed: true, maxChunkBytes: placeBytes })
    for await (const { records, cursor } of chunks) {
      for (const { data, start, cursor } of records) this.#add(data.length, start, cursor)
      this.#end = { ...this.#end, cursor }
      if (cursor >= end) break
    }
    stop.abort()
  }

  #add(bytes: number, start: number, cursor: number): void {
    // What comes before was dropped: the count begins anew, later than any before.
    if (start > this.#end.cursor) {
      this.#end = { offset: Math.max(start, this.#end.offset), cursor: start }
      this.#places.splice(0, Infinity, this.#end)
    }
    this.#end = { offset: this.#end.offset + bytes, cursor }
    if (this.#end.offset - this.#places.at(-1)!.offset < placeBytes) return
    this.#places.push(this.#end)
    if (this.#places.length > maxPlaces) this.#places.shift()
  }
}

/** One position is remembered for so much output: less is read once more and left out. */
const placeBytes = 128 * 1024
/** Enough for what is sent to a client. */
const maxPlaces = limits.terminalReplayBytes / placeBytes + 2
