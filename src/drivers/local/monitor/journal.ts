import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
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

/**
 * Writes a process's output in the order in which it came. A cursor is the count of bytes before it, headers included,
 * over all the process's life; segments are cut between records. Synchronous: appending to the page cache takes
 * microseconds, and order is what it is for.
 */
export class Journal {
  readonly #directory: string
  #held: Buffer[] | undefined = []
  #heldBytes = 0
  #end = 0
  #bytes = 0
  #segments: { start: number; end: number }[] = []
  #fd: number | undefined
  #truncated = false
  #failed = false

  constructor(directory: string) {
    this.#directory = directory
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
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #write(parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    try {
      const segment = this.#openSegment()
      for (const part of parts) writeFully(this.#fd!, part)
      segment.end += length
      this.#end += length
      if (segment.end - segment.start >= journalLimits.segmentBytes) this.close()
    } catch {
      // The host's disk is full or broken: the process goes on, and its record says that output is missing.
      this.#failed = true
      this.#truncated = true
    }
  }

  #openSegment(): { start: number; end: number } {
    const last = this.#segments.at(-1)
    if (this.#fd !== undefined && last && !this.#failed) return last
    this.close()
    this.#failed = false
    mkdirSync(this.#directory, { recursive: true })
    this.#fd = openSync(join(this.#directory, segmentName(this.#end)), 'w', 0o600)
    const segment = { start: this.#end, end: this.#end }
    this.#segments.push(segment)
    this.#dropOldest()
    return segment
  }

  #dropOldest(): void {
    while (this.#segments.length > 1 && this.#end - this.#segments[0]!.end >= journalLimits.keptBytes) {
      const oldest = this.#segments.shift()!
      this.#truncated = true
      unlinkSync(join(this.#directory, segmentName(oldest.start)))
    }
  }
}

function writeFully(fd: number, data: Buffer): void {
  for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset)
}
