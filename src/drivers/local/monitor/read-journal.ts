import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputRecord } from '../../driver.ts'
import { recordHeaderBytes, segmentName, streams } from './journal.ts'

/** The maximum of one read, so that a reader's memory is bounded whatever the process wrote. */
export const journalReadBytes = 1024 * 1024

export interface JournalPart {
  records: OutputRecord[]
  cursor: number
  /** True when the cursor was before the oldest retained record. */
  truncated: boolean
}

/**
 * Reads whole records from a cursor on; none when nothing follows it (yet). When a `buffer` is given, the records are
 * in it; it must have room for the largest record.
 */
export async function readJournal(directory: string, cursor: number, buffer?: Buffer): Promise<JournalPart> {
  const starts = await segmentStarts(directory)
  const first = starts[0]
  if (first === undefined) return { records: [], cursor, truncated: false }
  const truncated = cursor < first
  const from = truncated ? first : cursor
  const start = starts.findLast((candidate) => candidate <= from)!
  const next = starts.find((candidate) => candidate > from)
  const part = await readSegment(join(directory, segmentName(start)), from - start, buffer)
  if (part === 'gone') return { ...(await readJournal(directory, next ?? from, buffer)), truncated: true }
  if (part.consumed === 0 && next !== undefined) return { ...(await readJournal(directory, next, buffer)), truncated }
  return { records: part.records, cursor: from + part.consumed, truncated }
}

/**
 * Returns whether a record begins or ends at a cursor. True for a cursor before the retained output, which cannot be
 * checked.
 */
export async function isBetweenRecords(directory: string, cursor: number): Promise<boolean> {
  const start = (await segmentStarts(directory)).findLast((candidate) => candidate <= cursor)
  if (start === undefined) return true
  for (let at = start; at < cursor;) {
    const part = await readSegment(join(directory, segmentName(start)), at - start)
    if (part === 'gone') return true
    if (part.consumed === 0) return false
    for (const { data } of part.records) if (at < cursor) at += recordHeaderBytes + data.length
    if (at > cursor) return false
  }
  return true
}

/** Returns the total bytes of output in the retained whole records, without headers. */
export async function journalBytes(directory: string): Promise<number> {
  const buffer = Buffer.allocUnsafe(journalReadBytes)
  let bytes = 0
  for (const start of await segmentStarts(directory)) {
    const file = await open(join(directory, segmentName(start)))
    try {
      const { size } = await file.stat()
      let at = 0
      while (at + recordHeaderBytes <= size) {
        const { bytesRead } = await file.read(buffer, 0, journalReadBytes, at)
        const from = at
        // Only the header of a long record is read.
        while (at - from + recordHeaderBytes <= bytesRead) {
          const length = buffer.readUInt32LE(at - from + 1)
          at += recordHeaderBytes + length
          if (at <= size) bytes += length
        }
        if (at === from) break
      }
    } finally {
      await file.close()
    }
  }
  return bytes
}

async function segmentStarts(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => name.endsWith('.out'))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b)
}

async function readSegment(
  path: string,
  offset: number,
  buffer: Buffer = Buffer.allocUnsafe(journalReadBytes),
): Promise<{ records: OutputRecord[]; consumed: number } | 'gone'> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return 'gone'
  try {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    return parseRecords(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/**
 * A program that prints byte by byte makes more records in a MiB than should be handled in one turn of the event loop.
 */
const maxRecordsPerPart = 4096

/**
 * Returns the whole records, at most `maxRecords`, at the start of a part of a journal, and how many bytes they take.
 */
export function parseRecords(
  buffer: Buffer,
  maxRecords: number = maxRecordsPerPart,
): { records: OutputRecord[]; consumed: number } {
  const records: OutputRecord[] = []
  let consumed = 0
  while (consumed + recordHeaderBytes <= buffer.length && records.length < maxRecords) {
    const end = consumed + recordHeaderBytes + buffer.readUInt32LE(consumed + 1)
    if (end > buffer.length) break
    const stream = streams[buffer.readUInt8(consumed)] ?? 'stdout'
    records.push({ stream, data: buffer.subarray(consumed + recordHeaderBytes, end) })
    consumed = end
  }
  return { records, consumed }
}
