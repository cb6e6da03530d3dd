import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export const journalLimits = {
  /** Kept output of a process; the oldest is dropped beyond it. */
  keptBytes: 64 * 1024 * 1024,
  /** Dropping goes by whole segments, so up to one more is on disk. */
  segmentBytes: 8 * 1024 * 1024,
  /** Output that stays in memory until the end of the process, so that a short one costs no file before its answer. */
  heldBytes: 64 * 1024,
} as const

export const streams = ['stdout', 'stderr'] as const
export type StreamName = (typeof streams)[number]

/** A record is its stream's index in one byte, its length in four (little endian), and its bytes. */
export const recordHeaderBytes = 5

/** The file of the segment that starts at a cursor. */
export function segmentName(start: number): string {
  return `${String(start).padStart(16, '0')}.out`
}

interface Segment {
  start: number
  end: number
  /** In the order in which segments of all journals began. */
  serial: number
}

/** Of all journals of this program. */
let nextSerial = 0

/**
 * Writes a process's output in the order in which it came. A cursor is the count of bytes before it, headers included,
 * over all the process's life; segments are cut between records. Synchronous: appending to the page cache takes
 * microseconds, and order is what it is for. Nothing of it throws: a disk that is full costs output, and nothing else.
 */
export class Journal {
  readonly #directory: string
  readonly #onDisk: (bytes: number) => void
  #held: Buffer[] | undefined = []
  #heldBytes = 0
  #end = 0
  #bytes = 0
  #segments: Segment[] = []
  #fd: number | undefined
  #truncated = false
  #diskBytes = 0

  /** `onDisk` is told by how many bytes what is on the disk grew, or shrank. */
  constructor(directory: string, onDisk: (bytes: number) => void = () => {}) {
    this.#directory = directory
    this.#onDisk = onDisk
  }

  /** The cursor behind the last record. */
  get end(): number {
    return this.#end
  }

  /** Output bytes seen, without headers. */
  get bytes(): number {
    return this.#bytes
  }

  get truncated(): boolean {
    return this.#truncated
  }

  /** What its segments take on the disk. */
  get diskBytes(): number {
    return this.#diskBytes
  }

  /** When its oldest segment that has anything began, to compare with other journals; undefined when nothing is on the disk. */
  get oldest(): number | undefined {
    return this.#segments.find(({ start, end }) => end > start)?.serial
  }

  /** Everything as yet, when none of it had to go to disk. */
  get held(): Buffer | undefined {
    return this.#held && Buffer.concat(this.#held)
  }

  append(stream: StreamName, data: Buffer): void {
    if (data.length === 0) return
    const header = Buffer.allocUnsafe(recordHeaderBytes)
    header.writeUInt8(streams.indexOf(stream), 0)
    header.writeUInt32LE(data.length, 1)
    this.#bytes += data.length
    if (this.#held && this.#heldBytes + data.length + recordHeaderBytes <= journalLimits.heldBytes) {
      this.#held.push(header, Buffer.from(data))
      this.#heldBytes += recordHeaderBytes + data.length
      this.#end = this.#heldBytes
      return
    }
    this.spill()
    this.#write([header, data])
  }

  /** From here on output goes to disk as it comes. */
  spill(): void {
    if (!this.#held) return
    const held = this.#held
    this.#held = undefined
    this.#end = 0
    if (held.length > 0) this.#write([Buffer.concat(held)])
  }

  close(): void {
    if (this.#fd !== undefined) closeQuietly(this.#fd)
    this.#fd = undefined
  }

  /**
   * Gives up its oldest segment, also one that is being written. The last one leaves an empty one behind it, so that a reader
   * learns where what is kept begins.
   */
  dropOldest(): void {
    const index = this.#segments.findIndex(({ start, end }) => end > start)
    if (index === -1) return
    const [oldest] = this.#segments.splice(index, 1)
    this.#truncated = true
    if (index === this.#segments.length) this.close()
    unlinkQuietly(join(this.#directory, segmentName(oldest!.start)))
    this.#grew(oldest!.start - oldest!.end)
    if (this.#segments.length === 0) this.#begin()
  }

  /** A record that did not fit is taken back: what stays is whole. */
  #write(parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const segment = this.#openSegment()
    if (!segment) return
    try {
      for (const part of parts) writeFully(this.#fd!, part)
    } catch {
      // The host's disk is full or broken: the process goes on, and its record says that output is missing.
      this.#truncated = true
      truncateQuietly(this.#fd!, segment.end - segment.start)
      return this.close()
    }
    segment.end += length
    this.#end += length
    this.#grew(length)
    if (segment.end - segment.start >= journalLimits.segmentBytes) this.close()
  }

  /** undefined when none can be made. */
  #openSegment(): Segment | undefined {
    if (this.#fd !== undefined) return this.#segments.at(-1)
    const segment = this.#begin()
    while (this.#segments.length > 1 && this.#end - this.#segments[0]!.end >= journalLimits.keptBytes) this.dropOldest()
    return segment
  }

  /** Begins a segment at the end, over one there that has nothing. */
  #begin(): Segment | undefined {
    try {
      mkdirSync(this.#directory, { recursive: true })
      this.#fd = openSync(join(this.#directory, segmentName(this.#end)), 'w', 0o600)
    } catch {
      this.#truncated = true
      return undefined
    }
    if (this.#segments.at(-1)?.start === this.#end) this.#segments.pop()
    const segment = { start: this.#end, end: this.#end, serial: nextSerial++ }
    this.#segments.push(segment)
    return segment
  }

  #grew(bytes: number): void {
    this.#diskBytes += bytes
    this.#onDisk(bytes)
  }
}

function writeFully(fd: number, data: Buffer): void {
  for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset)
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already, or the disk is broken.
  }
}

function truncateQuietly(fd: number, length: number): void {
  try {
    ftruncateSync(fd, length)
  } catch {
    // What follows is in the next segment, and a part of a record is never read.
  }
}

/** A delayed write can fail as late as here. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // The descriptor is closed all the same.
  }
}
