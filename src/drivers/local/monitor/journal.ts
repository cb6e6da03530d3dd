import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export const journalLimits = {
  /** Output that is retained for a process; beyond it, the oldest is dropped. */
  keptBytes: 64 * 1024 * 1024,
  /** Whole segments are dropped, so up to one more can be on the disk. */
  segmentBytes: 8 * 1024 * 1024,
  /** Output that stays in memory until the process ends, so that a short process writes no file before its answer. */
  heldBytes: 64 * 1024,
} as const

export const streams = ['stdout', 'stderr'] as const
export type StreamName = (typeof streams)[number]

/** A record consists of the stream's index (one byte), the length (four bytes, little endian), and the data. */
export const recordHeaderBytes = 5

/** Returns the file name of the segment that starts at a cursor. */
export function segmentName(start: number): string {
  return `${String(start).padStart(16, '0')}.out`
}

interface Segment {
  start: number
  end: number
  /** Orders the segments of all journals by when they began. */
  serial: number
}

/** Shared by all journals of this program. */
let nextSerial = 0

/**
 * Stores a process's output in the order of its arrival. A cursor is the number of bytes before it since the process
 * began, headers included. Segments are split between records. Writes are synchronous, which keeps the order: appending
 * to the page cache takes microseconds. No method throws: a full disk loses output and has no other effect.
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

  /** `onDisk` is called with each change of the bytes on the disk, negative when they shrink. */
  constructor(directory: string, onDisk: (bytes: number) => void = () => {}) {
    this.#directory = directory
    this.#onDisk = onDisk
  }

  /** The cursor after the last record. */
  get end(): number {
    return this.#end
  }

  /** Total bytes of output, without headers. */
  get bytes(): number {
    return this.#bytes
  }

  get truncated(): boolean {
    return this.#truncated
  }

  /** Bytes that its segments take on the disk. */
  get diskBytes(): number {
    return this.#diskBytes
  }

  /** The serial of the oldest segment with output, for comparison with other journals; undefined when there is none. */
  get oldest(): number | undefined {
    return this.#segments.find(({ start, end }) => end > start)?.serial
  }

  /** All output so far, as long as none of it had to go to the disk. */
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

  /** Writes the output in memory to the disk. Later output is written directly. */
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
   * Drops the oldest segment, even one that is being written. When no segment is left, an empty one follows, so that a
   * reader learns where the retained output begins.
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

  /** Writes a record. One that does not fit is removed again, so that only whole records stay. */
  #write(parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const segment = this.#openSegment()
    if (!segment) return
    try {
      for (const part of parts) writeFully(this.#fd!, part)
    } catch {
      // The host's disk is full or broken. The process continues, and its record says that output is missing.
      this.#truncated = true
      truncateQuietly(this.#fd!, segment.end - segment.start)
      return this.close()
    }
    segment.end += length
    this.#end += length
    this.#grew(length)
    if (segment.end - segment.start >= journalLimits.segmentBytes) this.close()
  }

  /** Returns undefined when no segment can be created. */
  #openSegment(): Segment | undefined {
    if (this.#fd !== undefined) return this.#segments.at(-1)
    const segment = this.#begin()
    while (this.#segments.length > 1 && this.#end - this.#segments[0]!.end >= journalLimits.keptBytes) this.dropOldest()
    return segment
  }

  /** Begins a segment at the end, and replaces an empty one that begins there. */
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
    // The file is deleted already, or the disk is broken.
  }
}

function truncateQuietly(fd: number, length: number): void {
  try {
    ftruncateSync(fd, length)
  } catch {
    // Later output goes to the next segment, and readers ignore a partial record.
  }
}

/** Ignores errors of a delayed write, which can surface here. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // The descriptor is closed even then.
  }
}
